"""What the simulator is measured beside, as programs to start."""
