"""Captures as bytes, and tshark with the dissector that `devicectl spec` writes, without anything of its user's."""

import os
import re
import struct
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from devicectl.simulation.spec import FILES
from protocols.capture.blocks import encode_capture
from tests.patience import patience

LUA: Final = "hlp1.lua"
_ROOTS_WARNING: Final = re.compile(r"Running as user .root. and group .root.\. This could be dangerous\.\n")
_RAW_IP: Final = 101
"""Link type of packets that begin with an IP header."""


def snake(name: str) -> str:
    """A message's name as filters have it."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


@dataclass(frozen=True)
class Item:
    """A line of a packet's details: name, value and text as PDML has them, and the lines below it."""

    name: str
    show: str
    text: str
    items: "tuple[Item, ...]" = field(default=())

    def all(self, name: str) -> "list[Item]":
        """This and all below it that are called so, in order."""
        return [item for item in self.walk() if item.name == name]

    def shows(self, name: str) -> list[str]:
        """The values of those."""
        return [item.show for item in self.all(name)]

    def only(self, name: str) -> str:
        """The value of the one that is called so."""
        (show,) = self.shows(name)
        return show

    def walk(self) -> "Iterator[Item]":
        """This and all below it, from the top."""
        yield self
        for item in self.items:
            yield from item.walk()

    def told(self, expert: str) -> list[str]:
        """What experts of a kind say."""
        return [item.only("_ws.expert.message") for item in self.all("_ws.expert") if item.all(f"hlp1.expert.{expert}")]

    def experts(self) -> list[str]:
        """The kinds of all experts' words, in order."""
        begun = "hlp1.expert."
        return [item.name.removeprefix(begun) for item in self.walk() if item.name.startswith(begun)]


class Shark:
    """tshark with a dissector, from a folder of its own."""

    def __init__(self, program: str, folder: Path, dissector: str | None = None) -> None:
        """Write the dissector into `folder`; another text of it where that is given."""
        self.folder = folder
        self._program = program
        self._home = folder / "home"
        self._home.mkdir()
        (folder / LUA).write_text(FILES[LUA][1]() if dissector is None else dissector, encoding="utf-8")

    def run(self, capture: bytes | Path, *options: str, seconds: float = 60.0) -> str:
        """Return what tshark prints of a capture. It has nothing to complain of."""
        path = capture if isinstance(capture, Path) else self.folder / "made.pcapng"
        if isinstance(capture, bytes):
            path.write_bytes(capture)
        line = [self._program, "-X", f"lua_script:{self.folder / LUA}", "-r", str(path), *options]
        aside = {"HOME": str(self._home), "XDG_CONFIG_HOME": str(self._home), "LC_ALL": "C.UTF-8"}
        environment = {"PATH": os.environ["PATH"], **aside}
        done = subprocess.run(
            line, env=environment, cwd=self.folder, capture_output=True, timeout=patience(seconds), check=False
        )
        said = _ROOTS_WARNING.sub("", done.stderr.decode())
        assert (done.returncode, said) == (0, ""), said
        text = done.stdout.decode()
        assert "Lua Error" not in text
        return text

    def packets(self, capture: bytes | Path, *options: str) -> list[Item]:
        """The details of each packet, from a second look at all of them."""
        document = ElementTree.fromstring(self.run(capture, "-2", "-T", "pdml", *options))
        return [Item("packet", "", "", tuple(map(_item, packet))) for packet in document.iter("packet")]

    def fields(
        self, capture: bytes | Path, *names: str, options: Sequence[str] = (), seconds: float = 60.0
    ) -> list[list[str]]:
        """The values of some fields, a list a packet; of many of one field with `;` between."""
        wanted = [word for name in names for word in ("-e", name)]
        text = self.run(capture, *options, "-T", "fields", "-E", "aggregator=;", *wanted, seconds=seconds)
        return [line.split("\t") for line in text.splitlines()]


def _item(element: ElementTree.Element) -> Item:
    below = tuple(map(_item, element))
    return Item(element.get("name", ""), element.get("show", ""), element.get("showname", ""), below)


def recording(*pieces: tuple[str, int, bytes]) -> bytes:
    """A recording of pieces, each of a port and with a direction, one millisecond after the other."""
    ports = list(dict.fromkeys(port for port, _, _ in pieces))
    packets = [(1000 * at, ports.index(port), way, data) for at, (port, way, data) in enumerate(pieces)]
    return encode_capture({"verdict": None}, ports, packets)


@dataclass
class Stream:
    """One TCP connection as packets, without its opening: `(sender, bytes)` in order, where port `server` listens."""

    server: int
    client: int = 50_000

    def capture(self, *segments: tuple[str, bytes]) -> bytes:
        """Return a pcap file; the sender is "client" or "server"."""
        return pcap(self.packets(segments))

    def packets(self, segments: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
        """Give each segment as a packet of IP."""
        sent = {"client": 1, "server": 1}
        ports = {"client": (self.client, self.server), "server": (self.server, self.client)}
        for sender, data in segments:
            other = "server" if sender == "client" else "client"
            begin = struct.pack(">HHIIBBHHH", *ports[sender], sent[sender], sent[other], 0x50, 0x18, 0xFFFF, 0, 0)
            sent[sender] += len(data)
            ends = (b"\x7f\0\0\x01", b"\x7f\0\0\x02")
            size = 20 + len(begin) + len(data)
            head = struct.pack(">BBHHHBBH", 0x45, 0, size, 0, 0, 64, 6, 0)
            yield head + b"".join(ends if sender == "client" else ends[::-1]) + begin + data


def pcap(packets: Iterable[bytes]) -> bytes:
    """A file of the older format, whose packets begin with an IP header, one millisecond after the other."""
    parts = [struct.pack("<IHHiIII", 0xA1B2_C3D4, 2, 4, 0, 0, 0x4_0000, _RAW_IP)]
    for at, packet in enumerate(packets):
        parts.append(struct.pack("<IIII", 0, 1000 * at, len(packet), len(packet)) + packet)
    return b"".join(parts)
