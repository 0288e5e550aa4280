"""What a served device has seen of its hosts, as a report."""
