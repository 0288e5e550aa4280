"""Report of a served device on its hosts."""
