"""Sessions of `devicectl` with devices that differ in seed, parameters and plan, recorded at the host's end.

Law: one number gives one recording.
"""

import asyncio
import contextlib
import random

from devicectl.errors import DevicectlError
from devicectl.handpiece import connect
from devicectl.session.plan import make_plan
from handpiece_shell.recording_file import comment_of
from protocols.capture.blocks import encode_capture
from protocols.capture.contents import encode_data
from protocols.capture.packet import DIRECTIONS, Packet
from protocols.language.units import Micros
from protocols.mqtt.wire import Publication

MAX_CORES = 260


def record_session(number: int) -> bytes:
    """Hold one session in virtual time; its recording."""
    draw = random.Random(f"twin:{number}")
    url = _url(draw)
    plan = make_plan(
        {
            "target_cores": draw.randint(12, MAX_CORES),
            "coverage_percent": draw.choice([4.0, 5.0, 6.0, 7.5]),
            "depth_mm": draw.choice([1.0, 2.0, 3.0, 4.0]),
            "zones": [{"name": f"zone {zone}", "area_cm2": draw.randint(6, 12)} for zone in range(draw.randint(1, 4))],
        }
    )
    heard: list[Packet] = []

    def tap(sender: str, data: bytes | Publication, now: Micros) -> None:
        heard.append(Packet(now, 0, DIRECTIONS[sender], encode_data(data)))

    async def hold() -> None:
        async with connect(f"{url}&seed={number}", tap=tap) as handpiece, handpiece.open_session(plan) as session:
            await session.confirm_anesthesia()
            with contextlib.suppress(DevicectlError):  # chance may use up all cells, or bring too few cores: aborted
                async for _ in session.run():
                    pass

    asyncio.run(hold())
    comment = {**comment_of("devicectl", number, device=url), "verdict": {"state": "completed"}}
    return encode_capture(comment, [url], heard)


def _url(draw: random.Random) -> str:
    """Draw a device: its needles, its times, and how much goes wrong by chance."""
    options: dict[str, float] = {
        "anesthesia_wait_s": draw.choice([1, 300]),
        "needles": draw.randint(1, 6),
        "miss_p": draw.choice([0.0, 0.01, 0.05]),
        "clog_hazard": draw.choice([0.0, 0.0005, 0.01]),
        "suction_ms": draw.choice([60, 100, 250]),
        "advance_ms": draw.choice([40, 60, 120]),
        "reposition_mean_s": draw.choice([0.5, 2.0, 4.0, 9.0]),
        "core_cost_kpa": draw.choice([0.1, 0.45]),
    }
    baud = draw.choice(["", "", "&baud=115200", "&baud=19200"])
    return f"sim://?{'&'.join(f'{name}={value}' for name, value in options.items())}{baud}"
