"""The catalogue of faults: one table, a row a kind. Everything else about a kind follows from its row.

    Kind("pump_stalled", DEVICE, "...", (LASTING,), {"pump_stalled": True})

A new defect of the plant is a field of `PlantInputs` and a row here. One that does more than change an input has its
act beside the others of its target: `wire.py`, `acts.py` and `store.py` here, `devicectl/campaign/` for host and
broker.
The page docs/faults.md is made from these rows.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final

from firmware_sim.faults.kind import FOREVER_MS, MAX_FOR_MS, Kind, Quantity, Target

_WIRE, _DEVICE, _MEMORY, _HOST, _BROKER = Target.WIRE, Target.DEVICE, Target.MEMORY, Target.HOST, Target.BROKER
DIRECTIONS: Final = ("both", "host", "device")
"""Senders whose pieces a fault of the wire meets."""
OTHERS: Final = ("rival", "other_major", "other_schema", "newer")
"""Hosts that ask for what they may not have: a second controller, and three of another version."""


def _lasting(usual: float = FOREVER_MS, *, least: float = FOREVER_MS) -> Quantity:
    text = "how long it lasts; 0: to the end of the run" if least == FOREVER_MS else "how long it lasts"
    return Quantity("for_ms", "ms", least, MAX_FOR_MS, usual, text)


_LASTING: Final = _lasting()
_DIRECTION: Final = Quantity("direction", "", 0, 0, "both", "whose pieces it meets", DIRECTIONS)
_PIECES: Final = Quantity(
    "pieces", "", 0, 1_000_000, 1, "pieces that it meets before it ends; 0: any number", whole=True
)
_SHARE: Final = Quantity("share", "", 0, 1, 1, "share of the pieces that it meets, by chance")
_SPOILS: Final = (_DIRECTION, _PIECES, _SHARE, _LASTING)
"""Quantities of a fault that meets single pieces."""

_ROWS: Final = (
    # --- the wire: a piece is what one end hands to its transport in one go, or one publication
    Kind("drop", _WIRE, "the sender asks again, and nothing is done twice", _SPOILS, at_once=False),
    Kind(
        "flip",
        _WIRE,
        "the frame's checksum is wrong; it counts as lost",
        (Quantity("bits", "", 1, 64, 1, "bits that are flipped in each piece", whole=True), *_SPOILS),
        at_once=False,
        bytes_only=True,
    ),
    Kind(
        "insert",
        _WIRE,
        "noise between frames is passed over; noise within a frame costs that frame",
        (Quantity("bytes", "B", 1, 256, 4, "bytes that are put in at some place of each piece", whole=True), *_SPOILS),
        at_once=False,
        bytes_only=True,
    ),
    Kind("duplicate", _WIRE, "the second is answered from memory, and nothing moves twice", _SPOILS, at_once=False),
    Kind(
        "reorder",
        _WIRE,
        "what comes too late is refused as expired, or was answered before",
        (Quantity("by_ms", "ms", 1, 60_000, 50, "time by which others overtake it"), *_SPOILS),
        at_once=False,
    ),
    Kind(
        "latency",
        _WIRE,
        "answers come late and are waited for; beyond the lease the link is lost",
        (Quantity("added_ms", "ms", 1, 60_000, 50, "added to the way of each piece"), _DIRECTION, _LASTING),
        at_once=False,
    ),
    Kind(
        "jitter",
        _WIRE,
        "the wait for an answer adapts, and a late one is not taken for the next",
        (Quantity("most_ms", "ms", 1, 60_000, 20, "most that is added, by chance"), _DIRECTION, _LASTING),
        at_once=False,
    ),
    Kind(
        "bandwidth",
        _WIRE,
        "frames queue and the session slows down; below what heartbeats need the link is lost",
        (Quantity("bytes_per_s", "B/s", 1, 10_000_000, 960, "bytes that pass in a second"), _DIRECTION, _LASTING),
        at_once=False,
    ),
    Kind(
        "mute",
        _WIRE,
        "the end that hears nothing holds the link lost after its lease; an armed device makes itself safe",
        (_DIRECTION, _lasting(1_000)),
        at_once=False,
    ),
    Kind(
        "disconnect",
        _WIRE,
        "the device makes itself safe at once; the host connects again and reads the journal",
        (_lasting(1_000, least=1),),
    ),
    Kind(
        "half_open",
        _WIRE,
        "the end that has not heard of it holds the link lost after its lease, and is then found again",
        (
            Quantity("unaware", "", 0, 0, "device", "the end that goes on as if nothing had happened", DIRECTIONS[1:]),
            _lasting(20_000, least=1),
        ),
    ),
    # --- the device
    Kind("reboot", _DEVICE, "the open cycle is ended by register and latch; the host reads the journal"),
    Kind("brown_out", _DEVICE, "as a reboot, with nobody there meanwhile", (_lasting(500, least=1),)),
    Kind(
        "latch_unreadable",
        _DEVICE,
        "power is lost and the stroke latch cannot be read: a cycle open in its punch is ambiguous, and counts as "
        "punctured",
    ),
    Kind("retract_sensor_stuck", _DEVICE, "no advance: interlock 1 stops", (_LASTING,), {"retract_sensor_stuck": True}),
    Kind("retract_jammed", _DEVICE, "needles stay out: interlock 1 stops", (_LASTING,), {"retract_jammed": True}),
    Kind(
        "motor_stalled",
        _DEVICE,
        "interlock 16: retracts and tries again, three times in all, then locks",
        (Quantity("stall_at", "", 0, 1, 0, "share of the depth at which a stroke stops"), _LASTING),
        {"stall": True, "stall_at": "stall_at"},
    ),
    Kind(
        "motor_stalls",
        _DEVICE,
        "fewer than three in a row are tried again, and the cycle goes on",
        (Quantity("strokes", "", 1, 3, 1, "strokes that stall", whole=True),),
        {"stalls_left": "strokes"},
    ),
    Kind(
        "motor_slow",
        _DEVICE,
        "interlock 16 takes a stroke that is late for one that stalls; needles home late are seen by interlock 1",
        (Quantity("factor", "", 1, 3, 2, "times as long; home within the 150 ms of a lost link"), _LASTING),
        {"motor_slow": "factor"},
    ),
    Kind(
        "pump_stalled",
        _DEVICE,
        "interlock 4: no new cycle, then the needles are drawn home",
        (_LASTING,),
        {"pump_stalled": True},
    ),
    Kind(
        "leak",
        _DEVICE,
        "interlock 4: from about 19 kPa/s on no new cycle, from about 31 on the needles are drawn home",
        (Quantity("kpa_per_s", "kPa/s", 0, 200, 25, "air that comes in beside the needles"), _LASTING),
        {"leak_kpa_s": "kpa_per_s"},
    ),
    Kind("line_blocked", _DEVICE, "interlock 5: no core comes, no new cycle", (_LASTING,), {"line_blocked": True}),
    Kind(
        "pressure_offset",
        _DEVICE,
        "the sensor reads wrong: interlock 4 acts by what it reads",
        (Quantity("kpa", "kPa", -60, 60, 10, "added to the reading"), _LASTING),
        {"pressure_offset_kpa": "kpa"},
    ),
    Kind(
        "pressure_drift",
        _DEVICE,
        "the reading goes off with time: interlock 4 acts by what it reads",
        (Quantity("kpa_min", "kPa/min", -60, 60, 1, "by which the reading goes off each minute"), _LASTING),
        {"pressure_drift_kpa_min": "kpa_min"},
    ),
    Kind(
        "pressure_noise",
        _DEVICE,
        "interlock 4 acts by each sample",
        (Quantity("kpa", "kPa", 0, 60, 2, "by which a sample is off at most, either way"), _LASTING),
        {"pressure_noise_kpa": "kpa"},
    ),
    Kind(
        "pressure_frozen",
        _DEVICE,
        "the reading says nothing any more; the yield shows it",
        (Quantity("kpa", "kPa", -90, 0, -55, "the reading"), _LASTING),
        {"frozen_kpa": "kpa"},
    ),
    Kind(
        "encoder_offset",
        _DEVICE,
        "interlock 10: more than 500 um too deep retracts and locks",
        (Quantity("um", "um", -4_000, 4_000, 600, "added to the depth that is read", whole=True), _LASTING),
        {"depth_offset_um": "um"},
    ),
    Kind(
        "cores_missed",
        _DEVICE,
        "interlock 7: counts disagree; it warns at 12 of 200 and stops at 24",
        (Quantity("p", "", 0, 1, 0.05, "chance of a core that came not to be seen"), _LASTING),
        {"sensor_drop_p": "p"},
    ),
    Kind(
        "cores_invented",
        _DEVICE,
        "the sensor sees cores that did not come; the truth shows it, and no count does",
        (Quantity("p", "", 0, 1, 0.05, "chance of a core that did not come to be seen"), _LASTING),
        {"sensor_extra_p": "p"},
    ),
    Kind(
        "clog",
        _DEVICE,
        "interlock 6: the needle is flagged after eight empty strokes, and purged",
        (Quantity("needle", "", 0, 15, 0, "needle that clogs at its next stroke, from 0", whole=True),),
    ),
    Kind(
        "wear",
        _DEVICE,
        "more misses and clogs",
        (Quantity("factor", "", 0, 100, 3, "factor of the wear"), _LASTING),
        {"wear_factor": "factor"},
    ),
    Kind(
        "canister_jump",
        _DEVICE,
        "interlock 18: warns at 80 %, no new cycle at 95 %",
        (Quantity("ml", "mL", 0, 200, 90, "volume that is suddenly in the canister"),),
    ),
    Kind(
        "vent_blocked",
        _DEVICE,
        "interlock 17: warns at 41 C, no new cycle at 43 C",
        (_LASTING,),
        {"vent_blocked": True},
    ),
    Kind(
        "overheat",
        _DEVICE,
        "interlock 17: warns at 41 C, no new cycle at 43 C",
        (Quantity("w", "W", 0, 100, 4, "heat that is put into the handle, pump or no pump"), _LASTING),
        {"heat_added_w": "w"},
    ),
    Kind(
        "temperature_drift",
        _DEVICE,
        "interlock 17 acts by what it reads",
        (Quantity("k_min", "K/min", -60, 60, 1, "by which the reading goes off each minute"), _LASTING),
        {"temperature_drift_k_min": "k_min"},
    ),
    Kind(
        "temperature_noise",
        _DEVICE,
        "interlock 17 acts by each sample",
        (Quantity("k", "K", 0, 60, 2, "by which a sample is off at most, either way"), _LASTING),
        {"temperature_noise_k": "k"},
    ),
    Kind(
        "clock_drift",
        _DEVICE,
        "the uptime runs off from the host's clock: deadlines and ages are met all the same",
        (Quantity("ppm", "ppm", -1_000, 1_000, 200, "by which the uptime runs fast; below 0: slow"), _LASTING),
        {"clock_drift_ppm": "ppm"},
    ),
    Kind(
        "self_test_fails",
        _DEVICE,
        "interlock 23: power is lost, and nothing works until a restart without it",
        (_lasting(10_000, least=1),),
    ),
    Kind(
        "emergency_stop",
        _DEVICE,
        "interlock 20: vents, retracts, SAFE within 100 ms",
        (_lasting(1_000, least=1),),
        {"estop_open": True},
    ),
    Kind("fluid_inside", _DEVICE, "interlock 19: retracts, vents and locks", (_LASTING,), {"wet": True}),
    Kind("trigger_stuck", _DEVICE, "interlock 13, if it is on: no arming", (_LASTING,), {"trigger_stuck": True}),
    Kind("trigger_bounces", _DEVICE, "interlock 13, if it is on: no punch", (_LASTING,), {"trigger_bounces": True}),
    Kind("trigger_held", _DEVICE, "the hand holds the trigger", (_LASTING,), {"trigger_held": True}),
    Kind(
        "cartridge_missing",
        _DEVICE,
        "interlock 11: refuses to arm, without an override",
        (_LASTING,),
        {"cartridge_missing": True},
    ),
    Kind("cartridge_used", _DEVICE, "interlock 11: a broken seal is refused", (_LASTING,), {"cartridge_used": True}),
    Kind(
        "cartridge_cloned",
        _DEVICE,
        "interlock 11: a serial number that an earlier session of this memory has used is refused",
        (Quantity("serial", "", 1, 2**32 - 1, 1, "what the fitted cartridge says", whole=True), _LASTING),
        {"cloned_serial": "serial"},
    ),
    # --- the memory: power goes in the midst of a write, or the disk fails
    Kind(
        "torn_write",
        _MEMORY,
        "power is lost within a write: the step is there whole or not at all, and what was synced is there",
        (Quantity("kept", "", 0, 1, 0, "1: the step is whole on the disk, and nobody has heard of it", whole=True),),
        at_once=False,
    ),
    Kind("lost_write", _MEMORY, "power is lost at a write, and with it every step that was not synced", at_once=False),
    Kind(
        "short_write",
        _MEMORY,
        "a write fails: the device makes itself safe and ends; the next start ends the open cycle",
        at_once=False,
    ),
    Kind(
        "disk_full",
        _MEMORY,
        "what is begun is refused with E_STORAGE, and nothing has moved; what ends something has its place",
        (_lasting(5_000),),
        at_once=False,
    ),
    # --- the host
    Kind("host_crash", _HOST, "the device makes itself safe; --resume goes on, and no row is lost or doubled"),
    Kind("crash_before_commit", _HOST, "what was not stored is read again from the journal", at_once=False),
    Kind(
        "crash_after_commit",
        _HOST,
        "what was stored and not acknowledged is read again, compared, and kept once",
        at_once=False,
    ),
    Kind("interrupt", _HOST, "as Ctrl-C: the device is stopped and the session closed as aborted"),
    Kind(
        "log_full",
        _HOST,
        "the device is made safe and the host ends; nothing was acknowledged that is not stored",
        (Quantity("commits", "", 1, 1_000, 1, "commits that fail", whole=True),),
        at_once=False,
    ),
    Kind(
        "log_slow",
        _HOST,
        "the journal is acknowledged later, and the session goes on",
        (Quantity("by_ms", "ms", 1, 60_000, 200, "time that each commit takes"), _lasting(20_000)),
        at_once=False,
    ),
    Kind("stopped_by_viewer", _HOST, "another link says STOP: the device is safe, and the host recovers"),
    Kind(
        "other_host",
        _HOST,
        "another host asks for what it may not have: all of it is refused, and the session goes on",
        (Quantity("who", "", 0, 0, "rival", "a second controller, or a host of another version", OTHERS),),
    ),
    Kind(
        "paused",
        _HOST,
        "the user holds the session after a cycle, armed; then it goes on",
        (Quantity("hold_ms", "ms", 1, 600_000, 5_000, "how long the user holds it"),),
        at_once=False,
    ),
    Kind("closed_early", _HOST, "the user closes the session where it is; its counts are reconciled", at_once=False),
    # --- the broker
    Kind(
        "broker_killed",
        _BROKER,
        "both ends lose their connection, and what was under way; the device makes itself safe",
        (_lasting(3_000, least=1),),
    ),
    Kind(
        "broker_restarted",
        _BROKER,
        "as killed, and back within a moment: both ends are born again",
        (_lasting(200, least=1),),
    ),
    Kind(
        "broker_frozen",
        _BROKER,
        "nothing passes, then all of it at once; what is too old is refused",
        (_lasting(1_000, least=1),),
        at_once=False,
    ),
    Kind("publish_doubled", _BROKER, "the second is answered from memory", _SPOILS, at_once=False),
    Kind(
        "publish_reordered",
        _BROKER,
        "what comes too late is refused as expired, or was answered before",
        (Quantity("by_ms", "ms", 1, 60_000, 50, "time by which others overtake it"), *_SPOILS),
        at_once=False,
    ),
    Kind(
        "publish_lost",
        _BROKER,
        "lost between PUBLISH and PUBACK: the connection breaks, and the client does not know if it has arrived",
        (
            Quantity("arrives", "", 0, 1, 0, "1: it has arrived, and only its PUBACK is lost", whole=True),
            _DIRECTION,
            _lasting(500, least=1),
        ),
        at_once=False,
    ),
    Kind("stale_command", _BROKER, "a retained command is refused and reported: MC-1502", at_once=False),
)

CATALOGUE: Final[Mapping[str, Kind]] = {row.name: row for row in _ROWS}
"""Every kind of fault by its name, in the order of the page."""


def nearest(name: str, names: Iterable[str] = CATALOGUE) -> str:
    """Return the kind, or the one of `names`, that looks most like `name`, "" if none does."""
    found = get_close_matches(name, list(names), n=1)
    return found[0] if found else ""
