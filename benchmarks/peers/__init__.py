"""Programs that the simulator is measured beside."""
