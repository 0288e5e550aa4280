"""One end of a link over any wire: asking, answering, retries, heartbeat and lease."""
