"""A device for sinstruments that answers `P?` with a position, like lewis's own example."""

import importlib
from typing import Any

BaseDevice: Any = importlib.import_module("sinstruments.simulator").BaseDevice


class Motor(BaseDevice):  # type: ignore[misc]  # untyped, and only there where the peer is installed
    """One number to ask for."""

    newline = b"\n"

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, **options)
        self.position = 0.0

    def handle_message(self, message: bytes) -> bytes:
        """Answer one line."""
        return b"%f\n" % self.position if message.strip() == b"P?" else b"ERR\n"
