"""The floor: as many frames as a default session, with nothing behind them.

3,334 cycles of four phases, each a command, RECEIVED and DONE: struct, CRC-32C and COBS, two asyncio tasks, two queues
and a loop whose time jumps to the next timer. No state, no rule, no physics, no log. What a session takes above this is
what its logic costs.
"""

import argparse
import asyncio
import struct
import timeit
from collections.abc import Callable
from typing import Any, Final

import google_crc32c
from cobs import cobs

CYCLES: Final = 3_334
"""10,000 cores by three needles."""
PHASES_S: Final = (0.08, 0.10, 0.06, 0.02)
"""Punch, suction, advance, count."""
COMMAND, REPLY = 0, 1
PAYLOAD: Final = bytes(8)

_HEADER: Final = struct.Struct("<BBHHHHBB")
_DONE: Final = struct.Struct("<IHH")
_crc: Final[Callable[[bytes], int]] = google_crc32c.value

Wire = asyncio.Queue[bytes | None]


def encode(kind: int, message_id: int, seq: int, correlation_id: int, payload: bytes = b"") -> bytes:
    """One frame."""
    body = _HEADER.pack(0x10 | kind, 0, message_id, seq, 7, correlation_id, 0, len(payload)) + payload
    frame: bytes = b"\0" + cobs.encode(body + _crc(body).to_bytes(4, "little")) + b"\0"
    return frame


def decode(frame: bytes) -> tuple[Any, ...]:
    """A frame's header, after its checksum was found right."""
    body = cobs.decode(frame[1:-1])
    assert _crc(body[:-4]) == int.from_bytes(body[-4:], "little")
    return _HEADER.unpack_from(body)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop whose clock stands still while there is something to do, and then jumps to the next timer."""

    _ready: Any
    _scheduled: Any
    now = 0.0

    def time(self) -> float:
        """Virtual seconds."""
        return self.now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:
            self.now = max(self.now, self._scheduled[0].when())
        super()._run_once()  # type: ignore[misc]


async def device(received: Wire, sent: Wire) -> None:
    """Answer each command at once with RECEIVED and after its time with DONE."""
    seq = 0
    while (frame := await received.get()) is not None:
        header = decode(frame)
        phase, correlation_id = header[2], header[5]
        seq = (seq + 1) & 0xFFFF
        sent.put_nowait(encode(REPLY, phase, seq, correlation_id))
        await asyncio.sleep(PHASES_S[phase])  # noqa: TID251 - the loop's time is virtual
        seq = (seq + 1) & 0xFFFF
        sent.put_nowait(encode(REPLY, phase, seq, correlation_id, _DONE.pack(seq, 3, 800)))


async def host(sent: Wire, received: Wire, cycles: int) -> None:
    """Send the commands of `cycles` cycles, each after the one before it is done."""
    seq = 0
    for _ in range(cycles):
        for phase in range(len(PHASES_S)):
            seq = (seq + 1) & 0xFFFF
            sent.put_nowait(encode(COMMAND, phase, seq, seq, PAYLOAD))
            for _answer in range(2):
                frame = await received.get()
                assert frame is not None
                decode(frame)
    sent.put_nowait(None)


async def _ping_pong(cycles: int) -> None:
    to_device: Wire = asyncio.Queue()
    to_host: Wire = asyncio.Queue()
    await asyncio.gather(device(to_device, to_host), host(to_device, to_host, cycles))


def measure(cycles: int = CYCLES) -> float:
    """Wall seconds of one run."""
    loop = VirtualTimeLoop()
    start = timeit.default_timer()
    try:
        loop.run_until_complete(_ping_pong(cycles))
        return timeit.default_timer() - start
    finally:
        loop.close()


def main() -> None:
    """Print the wall seconds of one run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.floor", description=__doc__)
    parser.add_argument("--cycles", type=int, default=CYCLES)
    print(measure(parser.parse_args().cycles))


if __name__ == "__main__":
    main()
