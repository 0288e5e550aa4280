"""What a device says of itself once it answers: for people, and as one JSON object for programs."""

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from firmware_sim.serve.errors import OptionError
from firmware_sim.statements import FIRMWARE_VERSION, MODEL_VERSION
from protocols.notice import NOTICE

URL_VARIABLE: Final = "HANDPIECE_URL"
"""The environment variable with the first of the URLs."""
URLS_VARIABLE: Final = "HANDPIECE_URLS"
"""The environment variable with all URLs, as a JSON array."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """Where and what the device is. `warnings` are sentences for a person."""

    urls: Sequence[str]
    seed: int
    serial: str
    parameters: Mapping[str, float]
    warnings: Sequence[str] = ()

    def to_json(self) -> str:
        """One line."""
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
        """Several lines."""
        lines = [NOTICE, f"simulated handpiece {self.serial}, seed {self.seed}"]
        lines += [f"{URL_VARIABLE}={url}" for url in self.urls]
        lines += [f"warning: {warning}" for warning in self.warnings]
        return "\n".join(lines)

    def environment(self) -> dict[str, str]:
        """What a host started beside the device finds in its environment."""
        return {URL_VARIABLE: self.urls[0], URLS_VARIABLE: json.dumps(list(self.urls))}


class ReadyFile:
    """A file that is there, whole, exactly while the device answers."""

    def __init__(self, path: str) -> None:
        """Remove what an earlier device left behind.

        Raises:
            OptionError: the path cannot be used.
        """
        self._path = Path(path)
        self._text = ""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unusable(error) from error

    def write(self, announcement: Announcement) -> None:
        """Let it appear.

        Raises:
            OptionError: it cannot be written.
        """
        self._text = announcement.to_json() + "\n"
        fresh = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
        try:
            fresh.write_text(self._text, encoding="utf-8")
            fresh.replace(self._path)
        except OSError as error:
            with contextlib.suppress(OSError):
                fresh.unlink()
            raise self._unusable(error) from error

    def remove(self) -> None:
        """Let it go, unless another device has put its own in its place."""
        with contextlib.suppress(OSError):
            if self._text and self._path.read_text(encoding="utf-8") == self._text:
                self._path.unlink()

    def _unusable(self, error: OSError) -> OptionError:
        reason = f"cannot write {self._path}: {error.strerror}; name a file in a folder that exists"
        return OptionError("--ready-file", reason)
