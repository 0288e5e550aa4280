"""Sessions out of the log, as JSON and CSV."""
