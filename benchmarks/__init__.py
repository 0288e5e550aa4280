"""Measured beside peers, in one run: only ratios inside a run mean anything."""
