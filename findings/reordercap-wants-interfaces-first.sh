#!/usr/bin/env bash
# what: reordercap puts packets of a capture in the order of their times. If an interface is described after a first
#   packet, as where a serial adapter is plugged in during a capture, it stops at the first packet of that interface
#   with "internal error", exit code 1, and what it leaves is a valid pcapng file with the packets before it: a shorter
#   capture that nothing tells from a whole one. It does so where all packets are in order already. editcap, mergecap
#   and tshark, of the same package, take the same file whole.
# expected: A description of an interface has to come before the packets that name it, not before all packets
#   (draft-ietf-opsawg-pcapng, interface description block).
# versions: reordercap, editcap, mergecap and tshark 4.0.17, python-pcapng 2.1.1 as the reader, Python 3.11
# packages: python-pcapng==2.1.1
# reported: not found
# seen:
#   both interfaces first
#     reordercap: 0, packets 1 2 3
#     editcap: 0, packets 1 2 3
#     mergecap: 0, packets 1 2 3
#     tshark -w: 0, packets 1 2 3
#   the second interface after packet 1
#     reordercap: 1, packets 1
#     editcap: 0, packets 1 2 3
#     mergecap: 0, packets 1 2 3
#     tshark -w: 0, packets 1 2 3
. "$(dirname "$0")/finding.bash"
need reordercap editcap mergecap tshark
observe <<'PYTHON'
import struct
import subprocess
from pathlib import Path

import pcapng
from pcapng.blocks import EnhancedPacket

USER0 = 147  # a link type for one's own use


def block(kind, body):
    size = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + size + body + size


def packet(interface, number):
    """A packet of one byte, sent in the second of that number."""
    micros = number * 1_000_000
    head = struct.pack("<IIIII", interface, micros >> 32, micros & 0xFFFF_FFFF, 1, 1)
    return block(6, head + bytes([number, 0, 0, 0]))


SECTION = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
INTERFACE = block(1, struct.pack("<HHI", USER0, 0, 0))
FILES = {
    "both interfaces first": (SECTION, INTERFACE, INTERFACE, packet(0, 1), packet(1, 2), packet(0, 3)),
    "the second interface after packet 1": (SECTION, INTERFACE, packet(0, 1), INTERFACE, packet(1, 2), packet(0, 3)),
}
TOOLS = {
    "reordercap": ("reordercap", "in.pcapng", "out.pcapng"),
    "editcap": ("editcap", "in.pcapng", "out.pcapng"),
    "mergecap": ("mergecap", "-w", "out.pcapng", "in.pcapng"),
    "tshark -w": ("tshark", "-r", "in.pcapng", "-w", "out.pcapng"),
}

for name, blocks in FILES.items():
    print(name)
    Path("in.pcapng").write_bytes(b"".join(blocks))
    for tool, command in TOOLS.items():
        code = subprocess.run(command, capture_output=True, timeout=30).returncode
        with open("out.pcapng", "rb") as file:
            packets = [found.packet_data[0] for found in pcapng.FileScanner(file) if isinstance(found, EnhancedPacket)]
        print(f"  {tool}: {code}, packets", *packets)
        Path("out.pcapng").unlink()
PYTHON
