"""The plant under a whole session: what chance brings, and defects that act with time."""
