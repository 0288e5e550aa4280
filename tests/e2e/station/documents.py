"""Documents of the views as the server sends them, for the stage."""

from typing import Any, Final

Json = dict[str, Any]
NOTICE: Final = "TRAINING SIMULATOR - NOT A MEDICAL DEVICE"
ALARM: Final = {
    "code": 401,
    "label": "MC-0401",
    "priority": "medium",
    "state": "active",
    "words": "The vacuum is low: no new cycle until it is stable again. Look for a leak.",
    "since_ms": 0,
}


def clock(*, running: bool = False, speed: float = 1, t_ms: int = 0) -> Json:
    """Return the lesson's clock."""
    return {"t_ms": t_ms, "speed": speed, "running": running, "ended": False}


def _shared(*, running: bool, speed: float, t_ms: int) -> Json:
    zones = [{"zone": 0, "name": "chin", "area_cm2": 12, "confirmed": True, "cells_done": 1}]
    return {
        "notice": NOTICE,
        "title": "Suction leak",
        "clock": clock(running=running, speed=speed, t_ms=t_ms),
        "state": {"name": "ARMED", "words": "armed"},
        "counts": {"cores": 120, "target": 10_000, "cycles": 41, "coverage_percent": 5.61},
        "vacuum": {"kpa": -54.2, "low_kpa": -40, "stop_kpa": -30, "set_kpa": -55},
        "zones": zones,
        "cells": {"0:0": 100, "0:1": 50},
        "place": {"zone": 0, "cell": 1, "cycles_left": 8},
        "alarms": [],
    }


def stops() -> list[Json]:
    """Return the stops that may be chosen."""
    words = {"first_punch": "before the first punch", "first_alarm": "at the first alarm"}
    return [{"stop": stop, "words": text, "chosen": False, "done": False} for stop, text in words.items()]


def presenter(*, running: bool = False, speed: float = 1, t_ms: int = 0) -> Json:
    """Return a presenter's document."""
    return _shared(running=running, speed=speed, t_ms=t_ms) | {
        "role": "presenter",
        "stops": stops(),
        "caption": {"phase": "none", "words": "The array rests on the skin."},
        "phases": [],
        "needles": 3,
        "depth_um": 3_000,
        "outcomes": [],
        "automatic": False,
        "facts": [
            {"words": words, "mark": "background, not predicted"}
            for words in ("A needle is under half a millimeter wide.", "Three sessions, a month apart.")
        ],
    }
