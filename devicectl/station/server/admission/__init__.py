"""Admission to the server: what is let in, as whom, and how much of it."""
