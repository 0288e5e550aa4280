"""Commands about a line between a host and a device."""
