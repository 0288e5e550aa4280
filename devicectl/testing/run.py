"""One test's device: its URL, seed and parameters, and the files that it leaves when it fails.

Law: the standard library alone. A test of a host in another language needs nothing of this package in its process.
"""

import hashlib
import os
import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from handpiece_shell.version import VERSION

SEED_BYTES: Final = 4
"""Short enough to be typed again."""
QUICK: Final = {"anesthesia_wait_s": "1"}
"""Parameters of a simulator in real time, unless others are given: nobody waits five minutes in a test."""
VIRTUAL: Final = frozenset({"baud", "speed"})
"""Options of `sim://` alone: of its line and its clock, which a process of its own has not."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """The start of pytest, for all tests of a run. `place` is the folder that its command line is relative to."""

    place: Path
    root: Path
    """The folder that node ids are relative to."""
    base_seed: int
    urls: Sequence[str]
    """Those of the command line; none means `sim://`."""
    options: Sequence[str]
    """The rest of the command line that decides how a test runs and which seed it has."""
    artifacts: Path
    """Each failing test has a folder in it. Absolute: a test may go elsewhere."""
    worker: str = ""
    """xdist's: each has a device of its own where tests share one."""


class Run:
    """One test's, or that of all tests that share a device: `node_id` is then their module's, or empty for all.

    `url` is what was asked for; `device_url` has the test's seed and parameters in it; `given_url` is what a host got.
    """

    def __init__(
        self,
        node_id: str,
        url: str,
        *,
        parameters: Mapping[str, object],
        invocation: Invocation,
        scenario: Path | None = None,
    ) -> None:
        self.node_id = node_id
        self.scenario = scenario
        self.url = url
        self.given_url = ""
        self.failed = False
        self._invocation = invocation
        self.scheme = url.partition("://")[0].lower()
        self.simulated = self.scheme == "sim" or self.scheme.startswith("sim+")
        self.refused = bool(parameters or scenario) and not self.simulated
        shared = "::" not in node_id
        name = f"{node_id}::[{url.partition('?')[0]}]" if shared and len(invocation.urls) > 1 else node_id
        digest = hashlib.sha256(f"{invocation.base_seed}:{name}".encode()).digest()
        self.seed = int.from_bytes(digest[:SEED_BYTES], "big")
        self.device_seed = str(self.seed)
        self.device_url = self.host_url = url
        if self.simulated:
            given = dict(parse_qsl(url.partition("?")[2].replace("+", "%2B"), keep_blank_values=True))
            has_memory = "nvm" in given and os.path.exists(given["nvm"])  # in which its device's seed is
            options = given if has_memory else {"seed": str(self.seed), **given}
            options |= {name: str(value) for name, value in parameters.items()}
            self.seed = int(options["seed"]) if _is_whole(options.get("seed", "")) else self.seed
            self.device_seed = options.get("seed", "the memory's")
            self._set_urls(options)
        worker = f"-{invocation.worker}" if shared and invocation.worker else ""
        self.folder = invocation.artifacts / f"{_name(name)}-{digest.hex()[:8]}{worker}"

    def _set_urls(self, options: Mapping[str, str]) -> None:
        """For a host of any language `sim://` is on TCP, and so in real time, like every other URL."""
        quick = {**QUICK, **options}
        if self.scheme == "sim":
            self.device_url = f"sim://?{_encoded(options)}"
            served = {name: value for name, value in quick.items() if name not in VIRTUAL}
            self.host_url = f"sim+tcp://?{_encoded(served)}"
        else:
            self.device_url = self.host_url = f"{self.scheme}://?{_encoded(quick)}"

    def open_folder(self) -> Path:
        """The folder of its artifacts, made."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder

    def properties(self) -> list[tuple[str, object]]:
        """Return the properties for JUnit."""
        return [("handpiece_seed", self.device_seed), ("handpiece_url", self.url), ("handpiece_version", VERSION)]

    def failure(self) -> list[tuple[str, object]]:
        """Return the properties that a failure adds."""
        return [("handpiece_artifacts", str(self.folder)), ("handpiece_repeat", self.command())]

    def command(self) -> str:
        """The line that repeats the test, in the folder in which pytest was started."""
        of = self._invocation
        path, separator, name = self.node_id.partition("::")
        node_id = f"{os.path.relpath(of.root / path, of.place)}{separator}{name}"  # of all tests: the root
        urls = [argument for url in of.urls for argument in ("--handpiece-url", url)]
        return shlex.join(["pytest", node_id, "--handpiece-seed", str(of.base_seed), *urls, *of.options])

    def story(self) -> str:
        """For the report of a failure."""
        given = f"\ngiven to the test: {self.given_url}" if self.given_url else ""
        device = f"device {self.device_url}, seed {self.device_seed}{given}"
        return f"{device}\nartifacts: {self.folder}\nrepeat: {self.command()}"

    def finish(self) -> None:
        """Keep what a failing test leaves, and nothing of any other."""
        if self.failed:
            text = f"{self.story()}\nversion: {VERSION}\n"
            (self.open_folder() / "seed.txt").write_text(text, encoding="utf-8")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _encoded(options: Mapping[str, str]) -> str:
    return urlencode(options, quote_via=quote)  # a + is a + in a device URL, unlike in a form


def _name(node_id: str) -> str:
    """A node id for the name of a folder: of its path the last part. What follows may have slashes, as URLs do."""
    path, _, test = node_id.partition("::")
    return re.sub(r"[^\w.-]+", "_", f"{path.rpartition('/')[2]}::{test}")[:80]
