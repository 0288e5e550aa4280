"""Cost of a tap to the line that it is in."""
