"""Non-volatile memory, which survives a loss of power: its contents, its journal and its steps."""
