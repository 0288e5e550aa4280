"""Announcement of a device that answers: for people, and as one JSON object for programs."""

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from firmware_sim.commands.statements import FIRMWARE_VERSION, MODEL_VERSION
from firmware_sim.serve.whole_file import WholeFile
from protocols.text.notice import NOTICE

URL_VARIABLE: Final = "HANDPIECE_URL"
"""The environment variable with the first of the URLs."""
URLS_VARIABLE: Final = "HANDPIECE_URLS"
"""The environment variable with all URLs, as a JSON array."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """Addresses and identity of the device. `warnings` are sentences for a person."""

    urls: Sequence[str]
    seed: int
    serial: str
    parameters: Mapping[str, float]
    warnings: Sequence[str] = ()

    def to_json(self) -> str:
        """Return one line."""
        return json.dumps(
            {
                "notice": NOTICE,
                "simulated": True,
                "urls": list(self.urls),
                "seed": self.seed,
                "serial": self.serial,
                "parameters": dict(self.parameters),
                "firmware_version": FIRMWARE_VERSION,
                "model_version": MODEL_VERSION,
                "pid": os.getpid(),
            }
        )

    def to_text(self) -> str:
        """Return several lines."""
        lines = [NOTICE, f"simulated handpiece {self.serial}, seed {self.seed}"]
        lines += [f"{URL_VARIABLE}={url}" for url in self.urls]
        lines += [f"warning: {warning}" for warning in self.warnings]
        return "\n".join(lines)

    def environment(self) -> dict[str, str]:
        """Return the variables for a host that is started beside the device."""
        return {URL_VARIABLE: self.urls[0], URLS_VARIABLE: json.dumps(list(self.urls))}


class ReadyFile:
    """A file that is there, whole, exactly while the device answers."""

    def __init__(self, path: str) -> None:
        """Remove what an earlier device left behind.

        Raises:
            OptionError: the path cannot be used.
        """
        self._file = WholeFile("--ready-file", path)
        self._text = ""

    def write(self, announcement: Announcement) -> None:
        """Let it appear.

        Raises:
            ServeError: it cannot be written.
        """
        self._text = announcement.to_json() + "\n"
        self._file.write(self._text)

    def remove(self) -> None:
        """Let it go, unless another device has put its own in its place."""
        with contextlib.suppress(OSError):
            if self._text and self._file.path.read_text(encoding="utf-8") == self._text:
                self._file.path.unlink()
