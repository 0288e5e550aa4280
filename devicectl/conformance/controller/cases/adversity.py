"""Cases of adversity: each kind of fault of line, device and memory that a controller has to survive, one a scene.

A controller may give up, and has not failed by that: what it does until then is judged, and what the scene did not come
to is skipped.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from devicectl.conformance.case import Case
from devicectl.conformance.controller import checks, reactions
from devicectl.conformance.controller.cases.declare import case
from devicectl.conformance.controller.checks import Judge
from devicectl.conformance.controller.scene import Run, Scene
from protocols.language import messages as M

_ALWAYS: Final = "CMD-5 CMD-7 CYC-22 EVT-8"
_AT_COUNT: Final = 'frame("COUNT_DONE", 1)'
_IN_PUNCH: Final = 'cycle == 2 and phase == "punch"'
_CLOSES: Final[Judge] = reactions.closed_well
Fault = Mapping[str, object]


def _lost(message: str, model: type[M.Hello] | type, *, by: str) -> tuple[str, Fault, Judge]:
    """Make a row of one piece that is lost: a command, or its answer."""
    fault = {"fault": "drop", "when": f'frame("{message}", 1)', "direction": by}
    return f"lost-{message.lower().replace('_', '-')}", fault, reactions.asked_again(model)


_ASKED_AGAIN: Final = (
    _lost("WELCOME", M.Hello, by="device"),
    _lost("SESSION_OPEN_DONE", M.SessionOpen, by="device"),
    _lost("ARM", M.Arm, by="host"),
    _lost("PUNCH", M.Punch, by="host"),
    _lost("PUNCH_DONE", M.Punch, by="device"),
    _lost("SUCTION", M.Suction, by="host"),
    _lost("ADVANCE_DONE", M.Advance, by="device"),
    _lost("COUNT", M.Count, by="host"),
    _lost("COUNT_DONE", M.Count, by="device"),
    _lost("JOURNAL_PAGE", M.JournalRead, by="device"),
    _lost("JOURNAL_ACK", M.JournalAck, by="host"),
    _lost("SESSION_CLOSE_DONE", M.SessionClose, by="device"),
)
"""After these the session closes as if nothing had been, and the command is asked again as it was."""

_BORNE: Final[Mapping[str, Fault]] = {
    "doubled-answers": {"fault": "duplicate", "direction": "device", "pieces": 0},
    "doubled-commands": {"fault": "duplicate", "direction": "host", "pieces": 0},
    "flipped": {"fault": "flip", "share": 0.04, "pieces": 0},
    "inserted": {"fault": "insert", "share": 0.04, "pieces": 0},
    "late": {"fault": "latency", "added_ms": 60},
    "unsteady": {"fault": "jitter", "most_ms": 40},
    "narrow": {"fault": "bandwidth", "bytes_per_s": 5_000},
    "short-silence": {"fault": "mute", "when": _AT_COUNT, "direction": "device", "for_ms": 150},
    "stall": {"fault": "motor_stalls", "when": "cycle == 1"},
    "noisy-pressure": {"fault": "pressure_noise", "kpa": 2},
    "clock": {"fault": "clock_drift", "ppm": 1_000},
}
"""Faults under which a session closes with counts that agree, and without help."""

_HARD: Final[Mapping[str, Fault]] = {
    "reordered": {"fault": "reorder", "when": _AT_COUNT, "by_ms": 120, "pieces": 4},
    "long-silence": {"fault": "mute", "when": _AT_COUNT, "direction": "both", "for_ms": 2_500},
    "cut": {"fault": "disconnect", "when": _IN_PUNCH, "for_ms": 400},
    "cut-at-rest": {"fault": "disconnect", "when": 'frame("SESSION_OPEN_DONE", 1)', "for_ms": 400},
    "half-open": {"fault": "half_open", "when": _AT_COUNT, "unaware": "host", "for_ms": 3_000},
    "reboot": {"fault": "reboot", "when": _IN_PUNCH},
    "brown-out": {"fault": "brown_out", "when": 'cycle == 2 and phase == "suction"', "for_ms": 500},
    "latch": {"fault": "latch_unreadable", "when": _IN_PUNCH},
    "torn-write": {"fault": "torn_write", "when": "write(12)"},
    "lost-write": {"fault": "lost_write", "when": "write(14)"},
    "full-memory": {"fault": "disk_full", "when": _AT_COUNT, "for_ms": 800},
    "jammed": {"fault": "retract_jammed", "when": "cycle == 2"},
    "stalled": {"fault": "motor_stalled", "when": "cycle == 1"},
    "no-suction": {"fault": "pump_stalled", "when": "cycle == 2", "for_ms": 1_500},
    "leak": {"fault": "leak", "when": "cycle == 2", "kpa_per_s": 200, "for_ms": 1_500},
    "canister": {"fault": "canister_jump", "when": "cycle == 2", "ml": 98},
    "hot": {"fault": "overheat", "when": "cycle == 1", "w": 100, "for_ms": 2_000},
    "emergency": {"fault": "emergency_stop", "when": "cycle == 2", "for_ms": 500},
    "wet": {"fault": "fluid_inside", "when": "cycle == 2"},
    "too-deep": {"fault": "encoder_offset", "when": "cycle == 2", "um": 900},
    "no-cartridge": {"fault": "cartridge_missing"},
    "clog": {"fault": "clog", "when": "cycle == 1", "needle": 0},
}
"""Faults that end a session, or that only a controller that comes back gets over."""
_COMES_BACK: Final = ("cut", "cut-at-rest", "reboot", "brown-out", "long-silence", "half-open")
_SILENT: Final = ("long-silence", "half-open")


def _cases() -> Iterator[Case]:
    for name, fault, judge in _ASKED_AGAIN:
        scene = Scene(name, faults=[fault])
        yield case(
            f"again.{name}", f"{name}: asked again as it was", f"CMD-12 {_ALWAYS}", scene, both(judge, checks.sound)
        )
    for name, fault in _BORNE.items():
        scene = Scene(name, faults=[fault])
        yield case(
            f"bear.{name}", f"{name}: the session closes", f"CMD-12 {_ALWAYS}", scene, both(_CLOSES, checks.sound)
        )
    for name, fault in _HARD.items():
        scene = Scene(name, faults=[fault])
        yield case(f"hard.{name}", f"{name}: nothing forbidden is done", f"EVT-16 {_ALWAYS}", scene, checks.sound)
        if name in _COMES_BACK:
            title = f"{name}: the journal is read before the next PUNCH"
            yield case(f"back.{name}", title, "EVT-17", scene, reactions.reads_before_it_punches)
        if name in _SILENT:
            yield case(f"tries.{name}", f"{name}: nothing is sent a sixth time", "CMD-13", scene, checks.five_tries)


def both(one: Judge, other: Judge) -> Judge:
    """Return a judge that asks two."""

    def judge(run: Run) -> None:
        other(run)
        one(run)

    return judge


CASES: Final[tuple[Case, ...]] = tuple(_cases())
