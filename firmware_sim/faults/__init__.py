"""Faults of a simulated device and its wire, as data: the catalogue, when one begins, and what it does."""
