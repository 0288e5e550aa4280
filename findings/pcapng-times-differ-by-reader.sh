#!/usr/bin/env bash
# what: Each interface of a pcapng file has its own unit and offset of time, and interfaces are numbered anew in each
#   section. Of three libraries none gets all of it right. dpkt uses the first interface's for all. scapy numbers
#   interfaces through all sections, so in two captures joined by `cat` the second has the units of the first; it
#   ignores the offset (`if_tsoffset`), as python-pcapng does. None of them warns.
# expected: The same time from each, 1700000000 s, to which all packets below belong.
# versions: dpkt 1.9.8, scapy 2.8.0, python-pcapng 2.1.1, Python 3.11
# packages: dpkt==1.9.8 scapy==2.8.0 python-pcapng==2.1.1
# reported: https://github.com/kbandla/dpkt/issues/681 for dpkt; not found for the others
# seen:
#   one section, interfaces in us and ns
#     dpkt           1700000000 1700000000000
#     scapy          1700000000 1700000000
#     python-pcapng  1700000000 1700000000
#   two sections, the first in us, the second in ns
#     dpkt           1700000000 1700000000000
#     scapy          1700000000 1700000000000
#     python-pcapng  1700000000 1700000000
#   one interface in us, offset of an hour
#     dpkt           1700000000
#     scapy          1699996400
#     python-pcapng  1699996400
. "$(dirname "$0")/finding.bash"
observe <<'PYTHON'
import io
import struct

import dpkt
import pcapng
import pcapng.blocks
from scapy.utils import PcapNgReader

TIME_S = 1_700_000_000
USER0 = 147  # a link type for one's own use: what one captures from a serial line
MICRO, NANO = 6, 9  # if_tsresol: negative powers of ten


def block(kind, body):
    size = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + size + body + size


def option(code, value):
    return struct.pack("<HH", code, len(value)) + value.ljust(-(-len(value) // 4) * 4, b"\0")


def section():
    return block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(resolution, offset_s=0):
    options = option(9, bytes([resolution])) + (option(14, struct.pack("<q", offset_s)) if offset_s else b"")
    return block(1, struct.pack("<HHI", USER0, 0, 65535) + options + option(0, b""))


def packet(index, resolution, offset_s=0):
    ticks = (TIME_S - offset_s) * 10**resolution
    return block(6, struct.pack("<5I", index, ticks >> 32, ticks & 0xFFFFFFFF, 4, 4) + b"data")


def of_pcapng(data):
    blocks = pcapng.FileScanner(io.BytesIO(data))
    return [found.timestamp for found in blocks if isinstance(found, pcapng.blocks.EnhancedPacket)]


READERS = {
    "dpkt": lambda data: [time for time, _ in dpkt.pcapng.Reader(io.BytesIO(data))],
    "scapy": lambda data: [found.time for found in PcapNgReader(io.BytesIO(data))],
    "python-pcapng": of_pcapng,
}
FILES = {
    "one section, interfaces in us and ns": section()
    + interface(MICRO)
    + interface(NANO)
    + packet(0, MICRO)
    + packet(1, NANO),
    "two sections, the first in us, the second in ns": section()
    + interface(MICRO)
    + packet(0, MICRO)
    + section()
    + interface(NANO)
    + packet(0, NANO),
    "one interface in us, offset of an hour": section() + interface(MICRO, 3600) + packet(0, MICRO, 3600),
}
for title, data in FILES.items():
    print(title)
    for name, read in READERS.items():
        print(f"  {name:<14} {' '.join(str(int(time)) for time in read(data))}")
PYTHON
