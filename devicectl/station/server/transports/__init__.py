"""Real transports to a station's device, for a trainee whose host is somebody else's program."""
