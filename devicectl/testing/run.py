"""What one test runs against: its URL, seed and parameters; and what it leaves behind when it fails.

Law: the standard library alone. A test of a host in another language needs nothing of this package in its process.
"""

import hashlib
import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode

from devicectl.version import VERSION

SEED_BYTES: Final = 4
"""Short enough to be typed again."""
QUICK: Final = {"anesthesia_wait_s": "1"}
"""What a simulator in real time starts with unless it is told otherwise: nobody waits five minutes in a test."""


class Run:
    """One test's. `url` is what was asked for; `device_url` has the test's seed and parameters in it."""

    def __init__(
        self,
        node_id: str,
        url: str,
        *,
        base_seed: int,
        parameters: Mapping[str, object],
        artifacts: str | None,
        scratch: Path,
        urls: Sequence[str],
    ) -> None:
        self.node_id = node_id
        self.url = url
        self.failed = False
        self._base_seed = base_seed
        self._urls = urls
        self._keep = artifacts is not None
        scheme, _, query = url.partition("://")
        self.scheme = scheme
        self.simulated = scheme == "sim" or scheme.startswith("sim+")
        self.refused_parameters = bool(parameters) and not self.simulated
        digest = hashlib.sha256(f"{base_seed}:{node_id}".encode()).digest()
        self.seed = int.from_bytes(digest[:SEED_BYTES], "big")
        self.device_url = url
        if self.simulated:
            options = {**({} if scheme == "sim" else QUICK), "seed": str(self.seed)}
            options |= dict(parse_qsl(query.removeprefix("?"), keep_blank_values=True))
            options |= {name: str(value) for name, value in parameters.items()}
            self.seed = int(options["seed"]) if options["seed"].isdecimal() else self.seed
            self.device_url = f"{scheme}://?{urlencode(options)}"
        name = re.sub(r"[^\w.-]+", "_", node_id.rpartition("/")[2])[:80]
        self.folder = Path(artifacts if artifacts is not None else scratch / "handpiece") / f"{name}-{digest.hex()[:8]}"

    def open_folder(self) -> Path:
        """The folder of its artifacts, made."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder

    def properties(self) -> list[tuple[str, object]]:
        """What goes into JUnit's properties."""
        return [("handpiece_seed", self.seed), ("handpiece_url", self.url), ("handpiece_version", VERSION)]

    def command(self) -> str:
        """The line that repeats the test."""
        urls = [argument for url in self._urls for argument in ("--handpiece-url", url)]
        return shlex.join(["pytest", self.node_id, "--handpiece-seed", str(self._base_seed), *urls])

    def story(self) -> str:
        """For the report of a failure."""
        return f"device {self.device_url}, seed {self.seed}\nartifacts: {self.folder}\nrepeat: {self.command()}"

    def finish(self) -> None:
        """Keep what a failing test leaves, and nothing of any other."""
        if self.failed:
            text = f"{self.story()}\nversion: {VERSION}\n"
            (self.open_folder() / "seed.txt").write_text(text, encoding="utf-8")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
