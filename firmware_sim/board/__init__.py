"""The device's state and what changes it; commands and checks are functions of it."""
