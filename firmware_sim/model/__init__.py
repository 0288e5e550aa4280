"""The handpiece's physics: its constants, parameters and plant."""
