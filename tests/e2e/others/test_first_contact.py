"""docs/first-contact.md is enough: its bytes are sent to a real device, and a host is written by it alone.

Law: of the product nothing is used here but the program. Bytes come from the page; stuffing and checksum are those
of tests/vectors, or the page's own C.
"""

import json
import re
import select
import socket
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from firmware_sim.clock import monotonic
from tests.patience import deadline, patience
from tests.programs import ROOT, serve
from tests.vectors.make_vectors import crc32c, stuff

TEXT: Final = (ROOT / "docs" / "first-contact.md").read_text(encoding="utf-8")
FRAMES: Final = ("hello", "welcome", "punch", "received", "done", "refused")
COMMAND, REPLY, LINK = 0, 1, 7


class Row(NamedTuple):
    """One line of a dump: where, which bytes, and what they are."""

    at: int
    raw: bytes
    name: str
    value: str


class Dump(NamedTuple):
    """One frame of the page."""

    rows: list[Row]
    wire: bytes


def dump(part: str) -> Dump:
    """A frame as the page has it."""
    found = re.search(rf"<!-- made: {part} -->\n```text\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None, f"the page has no {part}"
    fields, _, wire = found[1].partition("on the wire")
    rows: list[Row] = []
    for line in fields.splitlines()[1:]:
        place, raw, name, value = line[:6].strip(), line[8:34].strip(), line[35:57].strip(), line[58:].strip()
        more = bytes(int(raw.split()[1])) if raw.startswith("and ") else bytes.fromhex(raw)
        if place and name:
            rows.append(Row(sum(map(int, place.split("+"))), more, name, value))
        elif line.strip():
            rows[-1] = rows[-1]._replace(raw=rows[-1].raw + more)
    return Dump(rows, bytes.fromhex(wire.partition(":")[2]))


def unstuff(wire: bytes) -> bytes:
    """What is between the zeros, before stuffing."""
    out, at = bytearray(), 0
    while at < len(wire):
        out += wire[at + 1 : at + wire[at]] + b"\0"
        at += wire[at]
    return bytes(out[:-1])


def good(piece: bytes) -> bytes:
    """Header and payload of a good frame."""
    body = unstuff(piece)
    assert int.from_bytes(body[-4:], "little") == crc32c(body[:-4])
    assert body[11] == len(body) - 16
    return body[:-4]


# --- the page by itself ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", FRAMES)
def test_the_fields_of_a_frame_are_its_bytes(part: str) -> None:
    rows, wire = dump(part)
    assert wire[0] == wire[-1] == 0 and 0 not in wire[1:-1]
    assert f"on the wire, {len(wire)} bytes" in TEXT
    body = unstuff(wire[1:-1])
    assert b"".join(row.raw for row in rows) == body
    at = 0
    for row in rows:
        assert row.at == at, row
        at += len(row.raw)
    assert rows[-1].name == "CRC-32C" and int(rows[-1].value, 16) == crc32c(good(wire[1:-1]))


def test_the_stuffing_table_comes_to_the_frame() -> None:
    found = re.search(r"<!-- made: stuffing -->\n```text\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None
    before = after = b""
    for line in found[1].splitlines()[1:]:
        left, right = line[:35], line[35:]
        times = int(repeated[1]) if (repeated := re.search(r"(\d+) times", left)) else 1
        run = left.partition("[")[0].strip()
        before += (bytes.fromhex(run) + b"\0" * ("[00]" in left)) * times
        after += bytes.fromhex(re.sub(r"\d+ times", "", right)) * times
    wire = dump("hello").wire
    assert after == wire[1:-1] == stuff(before)
    assert before == unstuff(wire[1:-1])


def test_the_c_of_the_page(tmp_path: Path, program: Callable[[str], str]) -> None:
    (code,) = re.findall(r"```c\n(.*?)```", TEXT, re.DOTALL)
    rows, wire = dump("hello")
    body = b"".join(row.raw for row in rows[:-1])
    main = (
        f"int main(void) {{ uint8_t in[240] = {{{', '.join(map(str, body))}}}, out[241]; size_t n = {len(body)};\n"
        "uint32_t crc = crc32c(in, n); for (int i = 0; i < 4; i++) in[n++] = (uint8_t)(crc >> 8 * i);\n"
        'size_t size = stuff(in, n, out); printf("00"); for (size_t i = 0; i < size; i++) printf("%02x", out[i]);\n'
        'printf("00 %08X", (unsigned)crc32c((const uint8_t *)"123456789", 9)); return 0; }\n'
    )
    source, binary = tmp_path / "page.c", tmp_path / "page"
    source.write_text("#include <stddef.h>\n#include <stdint.h>\n#include <stdio.h>\n" + code + main)
    line = [program("cc"), "-std=c99", "-Wall", "-Wextra", "-Werror", "-o", str(binary), str(source)]
    subprocess.run(line, check=True, timeout=patience())
    said = subprocess.run([binary], check=True, capture_output=True, text=True, timeout=patience()).stdout
    assert said == f"{wire.hex()} E3069283"


# --- a real device ---------------------------------------------------------------------------------------------------


class Stranger:
    """A host on TCP that knows the page and nothing else."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, patience())
        self.kept = b""
        self.seq = self.correlation_id = self.link_id = 0

    def frame(self, kind: int, message_id: int, payload: bytes = b"", *, asks: bool = True) -> None:
        """Send a frame."""
        self.seq += 1
        self.correlation_id += asks
        correlation_id = self.correlation_id if asks else 0
        header = struct.pack(
            "<BBHHHHBB", 0x10 | kind, 2 * asks, message_id, self.seq, self.link_id, correlation_id, 0, len(payload)
        )
        body = header + payload
        self.socket.sendall(b"\0" + stuff(body + crc32c(body).to_bytes(4, "little")) + b"\0")

    def bodies(self, seconds: float) -> Iterator[bytes]:
        """Header and payload of each frame that comes within a time."""
        if select.select([self.socket], [], [], seconds)[0]:
            data = self.socket.recv(4096)
            assert data, "the device has closed the connection"
            *pieces, self.kept = (self.kept + data).split(b"\0")
            yield from (good(piece) for piece in pieces if piece)

    def ask(self, message_id: int, payload: bytes = b"") -> bytes:
        """A command's DONE; a heartbeat at least every 200 ms meanwhile."""
        self.frame(COMMAND, message_id, payload)
        last = deadline()
        while monotonic() < last:
            for body in self.bodies(0.1):
                kind, answer_id = body[0] & 15, int.from_bytes(body[2:4], "little")
                if kind == REPLY and int.from_bytes(body[8:10], "little") == self.correlation_id:
                    if answer_id == message_id:
                        return body[12:]
                    assert answer_id == 0x10, f"refused: {body[22:].rstrip(bytes(1))!r}"
            self.frame(LINK, 4, asks=False)
        raise AssertionError(f"no answer to 0x{message_id:04x}")


def first_body(host: Stranger) -> bytes:
    last = deadline()
    while monotonic() < last:
        for body in host.bodies(0.5):
            return body
    raise AssertionError("no answer to HELLO")


def test_the_pages_hello_is_answered_by_the_pages_welcome() -> None:
    """Byte by byte, but for the time that has passed."""
    with serve("--tcp", "127.0.0.1:0", "--seed", "7", "--param", "anesthesia_wait_s=0") as served:
        host = Stranger(served.tcp)
        with host.socket:
            host.socket.sendall(dump("hello").wire)
            body = first_body(host)
    rows = dump("welcome").rows[:-1]
    assert len(body) == rows[-1].at + len(rows[-1].raw)
    names = {row.name for row in rows}
    assert {"link_id", "journal_epoch", "journal_tail", "uptime_ms", "cycle_no"} <= names
    for row in rows:
        if row.name != "uptime_ms":
            assert body[row.at : row.at + len(row.raw)] == row.raw, row


def test_a_session_by_the_page_alone(tmp_path: Path) -> None:
    """Sections 4 to 6: the order, the deadline, the count, the acknowledgement, the close."""
    report = tmp_path / "report.json"
    with serve(
        "--tcp",
        "127.0.0.1:0",
        *("--seed", "7", "--report", str(report)),
        *("--param", "anesthesia_wait_s=0", "--param", "reposition_mean_s=0.01"),
    ) as served:
        host = Stranger(served.tcp)
        with host.socket:
            counts = session(host)
        assert served.stop() == 0
    made: Any = json.loads(report.read_text(encoding="utf-8"))
    (one,) = made["hosts"]
    assert one["verdict"] == [f"Good: {counts[5]} cores in 3 cycles, closed and reconciled."]
    assert counts[:4] == [3, 3, 0, 0] and counts[4] == 9


def test_the_way_back_after_a_lost_lease_by_the_page_alone(tmp_path: Path) -> None:
    """Section 5: silence while armed, NAK E_LINK, HELLO, FAULT_RESET, and on with the next cycle."""
    report = tmp_path / "report.json"
    quick = ("--param", "anesthesia_wait_s=0", "--param", "reposition_mean_s=0.01")
    with serve("--tcp", "127.0.0.1:0", "--report", str(report), *quick) as served:
        host = Stranger(served.tcp)
        with host.socket:
            greet(host)
            opened = host.ask(OPEN, struct.pack("<IHHH", 9, 400, 3000, 1))
            be_armed(host)
            while list(host.bodies(1.0)):
                pass  # its heartbeats end with the link
            host.frame(LINK, 4, asks=False)
            nak = first_body(host)
            assert (nak[0] & 15, int.from_bytes(nak[2:4], "little"), nak[12]) == (LINK, 6, E_LINK)
            welcome = greet(host)
            assert welcome["state"] == SAFE and welcome["session_no"] == 1
            host.ask(FAULT_RESET)
            be_armed(host)
            cycle(host, welcome, welcome["cycle_no"] + 1)
            counts = close(host, welcome, opened)
        assert served.stop() == 0
    (one,) = json.loads(report.read_text(encoding="utf-8"))["hosts"]
    assert counts[:5] == [1, 1, 0, 0, 3] and one["links"] == 2
    assert one["verdict"][0].endswith("closed and reconciled.") and "The lease expired once" in one["verdict"][1]
    assert any("E_LINK" in said for said in one["verdict"])


SAFE, E_LINK = 15, 4
OPEN, FAULT_RESET = 0x0301, 0x030F


def greet(host: Stranger) -> dict[str, int]:
    """The page's HELLO, with the next numbers; the numbers of WELCOME by name, and when it came."""
    host.link_id = 0
    host.frame(LINK, 1, good(dump("hello").wire[1:-1])[12:])
    body = first_body(host)
    rows = [row for row in dump("welcome").rows if row.at >= 12 and len(row.raw) <= 8]
    welcome = {row.name: int.from_bytes(body[row.at : row.at + len(row.raw)], "little") for row in rows}
    host.link_id = welcome["link_id"]
    return {**welcome, "came_at_us": monotonic()}


def be_armed(host: Stranger) -> None:
    """Section 4, 3 to 5."""
    host.ask(0x0302, struct.pack("<BI32s", 0, 600, b"lidocaine"))
    host.ask(0x0303, struct.pack("<B32s", 0, b"operator"))
    host.ask(0x0304)
    host.ask(0x0306, struct.pack("<BH", 0, 0))


def cycle(host: Stranger, welcome: dict[str, int], cycle_no: int) -> None:
    """Section 4, 6."""
    deadline_ms = welcome["uptime_ms"] + (monotonic() - welcome["came_at_us"]) // 1000 + 5000
    host.ask(0x0307, struct.pack("<IHI", cycle_no, 3000, deadline_ms))
    host.ask(0x0308, struct.pack("<I", cycle_no))
    host.ask(0x0309, struct.pack("<IB", cycle_no, 1))
    host.ask(0x030A, struct.pack("<I", cycle_no))


def session(host: Stranger) -> list[int]:
    """Three cycles in one cell; the counts that the device took."""
    welcome = greet(host)
    opened = host.ask(OPEN, struct.pack("<IHHH", 9, 400, 3000, 1))
    be_armed(host)
    for number in range(3):
        cycle(host, welcome, welcome["cycle_no"] + 1 + number)
    return close(host, welcome, opened)


def close(host: Stranger, welcome: dict[str, int], opened: bytes) -> list[int]:
    """Section 4, 7 to 10, and section 6; the counts."""
    session_no, first_cycle_no, needles = struct.unpack_from("<IIB", opened)
    host.ask(0x0305)
    counts, cursor, head = [0] * 6, welcome["journal_tail"], -1
    epoch = welcome["journal_epoch"]
    while cursor != head:
        page = host.ask(0x0502, struct.pack("<IIB", epoch, cursor, 6))
        (head,) = struct.unpack_from("<I", page, 12)
        for at in range(16, len(page), 32):
            count(page[at : at + 32], first_cycle_no, needles, counts)
            cursor += 1
    host.ask(0x0503, struct.pack("<II", epoch, cursor))
    host.ask(0x0310, struct.pack("<IB6I", session_no, 1, *counts))
    host.frame(LINK, 5, b"\0", asks=False)
    return counts


def count(record: bytes, first_cycle_no: int, needles: int, counts: list[int]) -> None:
    """Add a CYCLE record to cycles, completed, aborted, ambiguous, punctures, cores counted: section 6."""
    kind, ending, cycle_no, outcomes = record[8], record[9], *struct.unpack_from("<II", record, 12)
    if kind == 1 and cycle_no >= first_cycle_no:
        values = [outcomes >> 4 * needle & 15 for needle in range(needles)]
        counts[0] += 1
        counts[ending] += 1
        counts[4] += sum(value != 0 for value in values)
        counts[5] += values.count(1)
