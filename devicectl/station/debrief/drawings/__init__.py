"""Drawings of a debrief as SVG, each with its text twin: a chart, a timeline, a map of cells."""
