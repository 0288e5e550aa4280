"""The session: its plan, its table, its engine and its counting. Pure: no I/O, no clock, no SQL."""
