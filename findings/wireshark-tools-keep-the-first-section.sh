#!/usr/bin/env bash
# what: A pcapng file may have several sections, each with a comment of its own, as where captures of two runs are
#   joined by `cat`. tshark and capinfos read both sections and both comments. What editcap and `tshark -w` write of it
#   has one section with all packets and the first comment: packets of the second run now belong to the first, and no
#   tool warns. mergecap, given the two files, keeps the first comment as well, and writes its own lines behind it, so
#   that a comment with JSON is none any more.
# expected: What describes a capture (draft-ietf-opsawg-pcapng, section header block) stays with its packets when the
#   file is cut, filtered or merged, or a warning says that it does not.
# versions: tshark, editcap and mergecap 4.0.17, python-pcapng 2.1.1 as the reader, Python 3.11
# packages: python-pcapng==2.1.1
# reported: not found
# seen:
#   cat        {"run": 1}: 1 2; {"run": 2}: 3
#   tshark     sections 1 1 2
#   editcap    {"run": 1}: 1 2 3
#   tshark -w  {"run": 1}: 1 2 3
#   mergecap   {"run": 1} and 3 more lines: 1 2 3
. "$(dirname "$0")/finding.bash"
need tshark editcap mergecap
observe <<'PYTHON'
import struct
import subprocess
from pathlib import Path

import pcapng
from pcapng.blocks import EnhancedPacket, SectionHeader

USER0 = 147  # a link type for one's own use
COMMENT = 1
FIRST, SECOND, BOTH = "first.pcapng", "second.pcapng", "both.pcapng"


def padded(data):
    return data + bytes(-len(data) % 4)


def block(kind, body):
    size = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + size + body + size


def capture(comment, packets):
    """A file of one section with that comment; each packet is one byte, sent in the second of that number."""
    option = struct.pack("<HH", COMMENT, len(comment)) + padded(comment) + struct.pack("<HH", 0, 0)
    blocks = [block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + option)]
    blocks.append(block(1, struct.pack("<HHI", USER0, 0, 0)))
    for number in packets:
        micros = number * 1_000_000
        head = struct.pack("<IIIII", 0, micros >> 32, micros & 0xFFFF_FFFF, 1, 1)
        blocks.append(block(6, head + padded(bytes([number]))))
    return b"".join(blocks)


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout


def show(name, path):
    """Print each section's comment and the packets that belong to it."""
    sections = []
    with open(path, "rb") as file:
        for found in pcapng.FileScanner(file):
            if isinstance(found, SectionHeader):
                first, *more = found.options["opt_comment"].split("\n")
                more = [line for line in more if line]
                sections.append((first.strip() + (f" and {len(more)} more lines" if more else ""), []))
            elif isinstance(found, EnhancedPacket):
                sections[-1][1].append(str(found.packet_data[0]))
    print(f"{name:10}", "; ".join(f"{comment}: {' '.join(packets)}" for comment, packets in sections))


Path(FIRST).write_bytes(capture(b'{"run": 1}', [1, 2]))
Path(SECOND).write_bytes(capture(b'{"run": 2}', [3]))
Path(BOTH).write_bytes(Path(FIRST).read_bytes() + Path(SECOND).read_bytes())
show("cat", BOTH)
print("tshark     sections", *run("tshark", "-r", BOTH, "-T", "fields", "-e", "frame.section_number").split())
run("editcap", BOTH, "edited.pcapng")
show("editcap", "edited.pcapng")
run("tshark", "-r", BOTH, "-w", "written.pcapng")
show("tshark -w", "written.pcapng")
run("mergecap", "-w", "merged.pcapng", FIRST, SECOND)
show("mergecap", "merged.pcapng")
PYTHON
