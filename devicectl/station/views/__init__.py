"""Views of a room, one a role: JSON documents without null, and the numbered differences between two of them."""
