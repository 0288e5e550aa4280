"""`devicectl conform`: other people's ends, held against the numbered rules of the protocol."""
