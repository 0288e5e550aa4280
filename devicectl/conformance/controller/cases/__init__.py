"""Cases for a controller by what they need of the device: none, frames that are wrong, silence, faults."""
