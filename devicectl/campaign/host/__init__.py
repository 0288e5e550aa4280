"""The host's side of a trial: faults of its process and its log, its user, and other hosts beside it."""
