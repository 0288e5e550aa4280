"""Interlocks, alarms, and the checks and watches that raise them."""
