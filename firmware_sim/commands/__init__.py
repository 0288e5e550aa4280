"""Commands: what each one does, and in which states it is lawful."""
