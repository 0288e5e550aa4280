"""What survives a loss of power: non-volatile memory, its journal and its file."""
