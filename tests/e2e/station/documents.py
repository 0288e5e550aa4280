"""Documents of the views as the server sends them, for the stage."""

from typing import Any, Final

from devicectl.station.server.control.for_trainers import FOR_TRAINERS

Json = dict[str, Any]
NOTICE: Final = "TRAINING SIMULATOR - NOT A MEDICAL DEVICE"
LONGEST: Final = max(FOR_TRAINERS.values(), key=len)
"""Words of a fault, in which a page has to have room for it."""
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


def trainee(*, running: bool = True, t_ms: int = 0) -> Json:
    """Return a trainee's document: armed, at a cell, with nothing wrong."""
    acts = (
        *("anesthesia_start", "anesthesia_confirm", "arm", "disarm", "trigger_press", "trigger_release", "reposition"),
        *("purge", "pause", "resume", "stop", "acknowledge", "silence", "reset", "close"),
    )
    return _shared(running=running, speed=1, t_ms=t_ms) | {
        "role": "trainee",
        "prebrief": "Go on from here.",
        "minutes": 5,
        "link": {"up": True, "words": "The link to the handpiece is up."},
        "temperature_c": 31.2,
        "cartridge": {"cycles": 41, "warn": 4_000, "life": 5_000},
        "canister": {"percent": 2.1, "warn_percent": 80, "full_percent": 95},
        "sound": {},
        "next": {"words": "Hold the trigger."},
        "messages": [],
        "controls": {name: {"enabled": True} for name in acts},
        "trigger": {"held": False},
        "cycle": {"cycle_no": 41, "phase": "none", "began_ms": 0, "takes_ms": 0},
    }


def instructor(*, running: bool = False) -> Json:
    """Return an instructor's document: something in each list, in each of its states."""
    messages = [{"no": 1, "at_ms": 100, "kind": "refusal", "words": "The zone is not numb yet."}]
    controls = trainee()["controls"] | {"arm": {"enabled": False, "why": "The handpiece is armed."}}
    rail = [
        {"item": "leak", "words": "the hose comes loose", "state": "due", "due_ms": 20_000},
        {"item": "clog", "words": "a needle is clogged", "state": "waiting"},
        {"item": "heat", "words": "the handle warms up", "state": "fired"},
    ]
    checks = [
        {"check": "stops", "words": "Stops the treatment", "critical": True, "state": "open", "within_ms": 5_000},
        {"check": "waits", "words": "Waits", "critical": False, "state": "passed", "at_ms": 12_000},
        {"check": "looks", "words": "Looks for the leak", "critical": True, "state": "failed", "at_ms": 15_000},
        {"check": "purges", "words": "Purges the needle", "critical": False, "state": "not_judged"},
    ]
    faults = [
        {"index": 0, "fault": "leak", "words": "leak, kpa_per_s 25", "state": "acting", "since_ms": 9_000},
        {"index": 1, "fault": "pump_stalled", "words": "pump_stalled", "state": "over", "since_ms": 9_500},
    ]
    return {
        "role": "instructor",
        "notice": NOTICE,
        "clock": clock(running=running, t_ms=15_000),
        "trainee": trainee(running=running) | {"messages": messages, "controls": controls},
        "truth": {"cores_evacuated": 123, "pressure_kpa": -54.31, "clogged_needles": "2"},
        "journal": [{"at_ms": 14_000, "words": "cycle 41 completed: counted counted counted, 120 cores"}],
        "log": [{"at_ms": 14_100, "words": "records 40 to 41 of the journal"}],
        "rail": rail,
        "checks": checks,
        "faults": faults,
        "impossible": ["broker_killed"],
        "notes": [{"at_ms": 11_000, "words": "looked at the gauge"}],
        "bookmarks": [{"at_ms": 12_000, "words": "before the alarm"}],
        "timeline": [{"at_ms": 0, "lane": "state", "words": "the lesson begins"}] * 2,
        "stops": stops(),
        "automatic": False,
        "lesson": 1,
    }


def row(station: int, trainee: str = "Ana") -> Json:
    """Return a station of the roster."""
    return {
        "station": station,
        "lesson": station,
        "scenario": "suction-leak",
        "title": "Suction leak",
        "trainee": trainee,
        "state": {"name": "ARMED", "words": "armed"},
        "last_act": {"words": "trigger press", "at_ms": 900},
        "clock": clock(running=True),
        "ended": False,
        "connected": {"trainee": 1, "presenter": 0},
    }


def link(token: str) -> Json:
    """Return a link with a code of four modules."""
    return {"url": f"http://localhost/enter/{token}", "qr": {"size": 4, "d": "M1 1h1v1h-1zM2 2h1v1h-1z"}}


def answers() -> dict[tuple[str, str], Json]:
    """Return answers of the control API with two stations and an interrupted lesson."""
    quantities = [
        {"name": "kpa_per_s", "unit": "kPa/s", "least": 1, "most": 60, "usual": 20, "help": "air that comes in"},
        {"name": "strokes", "unit": "", "least": 1, "most": 3, "usual": 1, "help": "strokes", "whole": True},
        {
            "name": "direction",
            "unit": "",
            "least": 0,
            "most": 0,
            "usual": "both",
            "help": "whose",
            "words": ["both", "host"],
        },
    ]
    usual = {"words": [], "whole": False}
    fault = {"sentence": "no new cycle", "quantities": [usual | quantity for quantity in quantities]}
    stations = [row(1), row(2, "")]
    unfinished = [{"lesson": 7, "title": "Link loss", "trainee": "Bo", "acts": 12, "words": "interrupted at 2:31"}]
    scenarios = [
        {"scenario": name, "title": title, "minutes": 5, "objectives": ["Stops at once."], "prebrief": "Armed."}
        for name, title in (("normal", "A normal session"), ("suction-leak", "Suction leak"))
    ]
    return {
        ("GET", "/api/stations"): {"limit": 8, "stations": stations, "unfinished": unfinished},
        ("GET", "/api/scenarios"): {"scenarios": scenarios},
        ("GET", "/api/catalogue"): {
            "faults": [
                {"fault": "drop", "target": "wire", "words": ""} | fault,
                {"fault": "leak", "target": "device", "words": "air comes in"} | fault,
                {"fault": "cores_invented", "target": "device", "words": LONGEST} | fault,
                {"fault": "broker_killed", "target": "broker", "words": ""} | fault,
            ]
        },
        ("GET", "/api/stations/1"): row(1) | {"links": {"trainee": link("one"), "presenter": link("two")}},
    }
