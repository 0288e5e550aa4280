"""The device in C of the examples, in virtual time."""
