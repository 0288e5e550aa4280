"""Messages a second that the codec makes and reads, beside three others, in one run.

Law: every case runs in every round, so that a slow moment of the machine falls on all of them; only ratios inside one
run mean anything. A peer that is not installed is named as missing and has no figure.

Each case works on a message of 26 to 28 bytes: ours and `struct` on TELEMETRY_STATE, pymavlink on ATTITUDE, pymodbus
on a reply of 14 registers. Encoding is of a built object and ends with bytes for the wire; decoding begins with those
bytes and ends with a typed object (with a tuple for bare `struct`).
"""

import argparse
import importlib
import json
import random
import statistics
import struct
import timeit
from collections.abc import Callable
from typing import Any, Final

import google_crc32c
from cobs import cobs
from rich.console import Console
from rich.table import Table

from protocols.language.enums import DeviceState
from protocols.language.messages import Punch, TelemetryState
from protocols.link.port import Envelope
from protocols.serial.framing import Frame, FrameDecoder
from protocols.serial.payload import encode_message
from protocols.serial.wire import SerialWire

Case = Callable[[], object]

CALLS_PER_ROUND: Final = 200
"""A round of one case then takes 0.2 to 4 ms: long beside the clock's grain, short beside a machine's slow moments."""

GARBAGE_SIZE: Final = 1 << 20

TELEMETRY: Final[dict[str, Any]] = {
    "uptime_ms": 1_234_567,
    "state": DeviceState.ARMED,
    "depth_um": 3000,
    "vacuum_pa": -52_000,
    "temperature_mk": 303_150,
    "canister_ul": 12_345,
    "cartridge_cycles": 3_334,
    "cell": 117,
    "flagged": 0,
}
PUNCH: Final[dict[str, Any]] = {"cycle_no": 3_334, "depth_um": 3000, "deadline_ms": 1_234_567}


def _ours() -> dict[str, Case]:
    cases: dict[str, Case] = {}
    for name, model, values in (("", TelemetryState, TELEMETRY), (" (PUNCH)", Punch, PUNCH)):
        cases |= _ours_of(name, model, values)
    return cases


def _ours_of(name: str, model: type[TelemetryState] | type[Punch], values: dict[str, Any]) -> dict[str, Case]:
    message = model(**values)
    frame = encode_message(message, seq=1, link_id=2, correlation_id=3)
    wire = SerialWire()

    def decode() -> object:
        (envelope,) = wire.feed(frame)
        assert envelope.__class__ is Envelope
        return envelope[1]

    assert decode() == message
    return {
        f"ours{name}/encode": lambda: encode_message(message, seq=1, link_id=2, correlation_id=3),
        f"ours{name}/decode": decode,
        f"ours{name}/construct": lambda: model(**values),
    }


def _bare_struct() -> dict[str, Case]:
    """The floor: the same bytes without objects, states or checks beyond the CRC."""
    fields, crc = struct.Struct("<BBHHHHBBIBHiIIIHB"), struct.Struct("<I")
    values = (0x14, 0, 0x0402, 1, 2, 3, 0, 26, *(int(value) for value in TELEMETRY.values()))

    def encode() -> bytes:
        body = fields.pack(*values)
        frame: bytes = b"\0" + cobs.encode(body + crc.pack(google_crc32c.value(body))) + b"\0"
        return frame

    frame = encode()
    assert frame == encode_message(TelemetryState(**TELEMETRY), seq=1, link_id=2, correlation_id=3)

    def decode() -> object:
        body = cobs.decode(frame[1:-1])
        assert (google_crc32c.value(body[:-4]),) == crc.unpack_from(body, len(body) - 4)
        return fields.unpack_from(body)

    assert decode() == values
    return {"struct+crc+cobs/encode": encode, "struct+crc+cobs/decode": decode}


def _pymavlink() -> dict[str, Case]:
    dialect = importlib.import_module("pymavlink.dialects.v20.ardupilotmega")
    link = dialect.MAVLink(None)
    link.robust_parsing = True
    values = (1_234_567, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
    message = dialect.MAVLink_attitude_message(*values)
    frame = bytes(message.pack(link))
    assert link.parse_buffer(frame)[0].get_type() == "ATTITUDE"
    return {
        "pymavlink/encode": lambda: message.pack(link),
        "pymavlink/decode": lambda: link.parse_buffer(frame),
        "pymavlink/construct": lambda: dialect.MAVLink_attitude_message(*values),
    }


def _pymodbus() -> dict[str, Case]:
    framer = importlib.import_module("pymodbus.framer").FramerRTU
    pdu = importlib.import_module("pymodbus.pdu")
    reply = importlib.import_module("pymodbus.pdu.register_message").ReadHoldingRegistersResponse
    registers = list(range(1000, 1014))
    message = reply(dev_id=1, registers=registers)
    rtu = framer(pdu.DecodePDU(False))
    frame = rtu.buildFrame(message)
    assert rtu.handleFrame(frame, 1, 0)[1].registers == registers
    return {
        "pymodbus RTU/encode": lambda: rtu.buildFrame(message),
        "pymodbus RTU/decode": lambda: rtu.handleFrame(frame, 1, 0),
        "pymodbus RTU/construct": lambda: reply(dev_id=1, registers=registers),
    }


PEERS: Final[dict[str, Callable[[], dict[str, Case]]]] = {"pymavlink": _pymavlink, "pymodbus RTU": _pymodbus}


def measure(rounds: int) -> dict[str, Any]:
    """Run every case `rounds` times, interleaved.

    Returns:
        `cases`: by "codec/act", messages a second over rounds: median, 10th, 90th percentile, best; `ratios`: ours to
        each other codec (see `_ratios`); `missing`: peers that are not installed; `garbage`: seconds for 1 MiB before a
        good frame, by its kind.
    """
    cases = _ours() | _bare_struct()
    missing = []
    for name, load in PEERS.items():
        try:
            cases |= load()
        except ImportError:
            missing.append(name)
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    timers = {name: timeit.Timer(case) for name, case in cases.items()}
    for _ in range(rounds):
        for name, timer in timers.items():
            seconds[name].append(timer.timeit(CALLS_PER_ROUND))
    noise = garbage()
    return {
        "unit": "messages/s",
        "rounds": rounds,
        "cases": {name: _summary([CALLS_PER_ROUND / taken for taken in times]) for name, times in seconds.items()},
        "ratios": _ratios(seconds),
        "missing": missing,
        "garbage": {"unit": "s", "size_bytes": GARBAGE_SIZE, "most": max(noise.values()), "cases": noise},
    }


def _summary(rates: list[float]) -> dict[str, float]:
    tenths = statistics.quantiles(rates, n=10, method="inclusive") if len(rates) > 1 else rates * 9
    summary = {"median": statistics.median(rates), "p10": tenths[0], "p90": tenths[-1], "best": max(rates)}
    return {name: round(rate) for name, rate in summary.items()}


def _ratios(seconds: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Return how many times as many messages a second ours does, per other codec and act.

    `median` is over the ratios within each round; `best` is of the fastest round of each, which a busy machine
    disturbs least.
    """
    ratios = {}
    for name, theirs in seconds.items():
        codec, act = name.split("/")
        if not codec.startswith("ours"):
            ours = seconds[f"ours/{act}"]
            paired = statistics.median(their / our for their, our in zip(theirs, ours, strict=True))
            ratios[name] = {"median": round(paired, 2), "best": round(min(theirs) / min(ours), 2)}
    return ratios


def garbage() -> dict[str, float]:
    """Seconds until a good frame is found behind 1 MiB of garbage, best of three, by the garbage's kind."""
    frame = encode_message(Punch(**PUNCH), seq=1)
    kinds = {
        "random bytes": random.Random(1).randbytes(GARBAGE_SIZE),
        "all zeros": bytes(GARBAGE_SIZE),
        "no zeros": b"\x55" * GARBAGE_SIZE,
    }
    return {kind: round(min(_find_behind(noise, frame) for _ in range(3)), 4) for kind, noise in kinds.items()}


def _find_behind(noise: bytes, frame: bytes) -> float:
    decoder = FrameDecoder()
    start = timeit.default_timer()
    found = decoder.feed(noise) + decoder.feed(frame)
    taken = timeit.default_timer() - start
    assert found[-1].__class__ is Frame
    return taken


def main() -> None:
    """Print the figures as a table, or as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.codec", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    options = parser.parse_args()
    result = measure(options.rounds)
    if options.json:
        print(json.dumps(result, indent=2))
        return
    table = Table(
        "codec",
        "act",
        "messages/s",
        "10-90 %",
        "best",
        "ours is",
        "of best",
        title=f"{options.rounds} rounds, interleaved",
    )
    for column in table.columns[2:]:
        column.justify = "right"
    for name, rates in sorted(result["cases"].items(), key=lambda item: (item[0].split("/")[1], -item[1]["median"])):
        ratio = result["ratios"].get(name, {})
        spread = f"{rates['p10']:,}-{rates['p90']:,}"
        times = [f"{ratio[which]:.2f}x" if ratio else "" for which in ("median", "best")]
        table.add_row(*name.split("/"), f"{rates['median']:,}", spread, f"{rates['best']:,}", *times)
    console = Console()
    console.print(table)
    for name in result["missing"]:
        console.print(f"missing: {name} is not installed (pip install devicectl[bench])", markup=False)
    for kind, taken in result["garbage"]["cases"].items():
        console.print(f"1 MiB of garbage before a good frame, {kind}: {taken:.4f} s")


if __name__ == "__main__":
    main()
