"""The profile of a campaign that names none: what a session meets that is disturbed in every way at once.

Law: data alone, as a file of `--profile` has it. Each kind of the catalogue is in it.
"""

from typing import Final

from protocols.capture.packet import JsonObject

_ONCE: Final = [1, 1, 1, 2, 3]
_ALWAYS: Final = ["time", "time", "phase", "state", "frame", "piece", "resume"]
"""Beginnings of most kinds, some of them more often than others."""
_BRIEFLY: Final = [1_000, 5_000]


def _kind(on: float, **keys: object) -> JsonObject:
    return {"on": on, "times": _ONCE, "when": _ALWAYS, **keys}


def _spoils(on: float, **keys: object) -> JsonObject:
    """Single pieces, or a share of all of them for a while."""
    return _kind(
        on,
        direction=["both", "host", "device"],
        pieces=[1, 1, 2, 5, 0],
        share=[0.02, 0.1, 0.3, 1],
        for_ms=[300, 3_000, 10_000],
        **keys,
    )


def _plant(on: float, **keys: object) -> JsonObject:
    """A defect of the plant that comes and goes."""
    return {"on": on, "times": [1, 1, 2], "when": ["time", "phase", "state"], "for_ms": _BRIEFLY, **keys}


_KEPT: Final = {"consumables_keep": 1}
_RARELY: Final = 0.005
_A_CYCLE: Final = "cycle == {cycle}"


def _scene(*faults: JsonObject, on: float = _RARELY, **keys: object) -> JsonObject:
    return {"on": on, "faults": list(faults), **keys}


def _when(when: str, fault: str, **keys: object) -> JsonObject:
    return {"fault": fault, "when": when, **keys}


def _flooded(when: str) -> JsonObject:
    return _when(when, "fluid_inside", for_ms=1_000)


_LINKING: Final = 'frame("HELLO", 1)'
"""Nothing has been asked of the device yet."""
_PAUSE: Final = _when(_A_CYCLE, "paused", hold_ms=5_000)
_PUNCH: Final = f'{_A_CYCLE} and phase == "punch"'
_COUNT: Final = f'{_A_CYCLE} and phase == "count"'

_SCENES: Final[JsonObject] = {
    "cartridge_worn": _scene(start={"cartridge_cycles": 3_998, "parameters": _KEPT}),
    "cartridge_worn_out": _scene(start={"cartridge_cycles": 4_998, "parameters": _KEPT}),
    "canister_nearly_full": _scene(start={"canister_ml": 94.95, "parameters": _KEPT}),
    "hot": _scene(start={"parameters": {"ambient_c": 30, "heat_tau_s": 5}}),
    "numb_for_long": _scene(plan={"operator": {"anesthesia_age_s": 3_592}}, on=0.02),
    "dense": _scene(plan={"coverage_percent": 8.0}, on=0.05),
    "trigger_held": _scene(
        _when('state == "repositioning"', "trigger_held", for_ms=60_000), start={"parameters": {"trigger_required": 1}}
    ),
    "trigger_bounces": _scene(
        _when('state == "repositioning"', "trigger_held", for_ms=60_000),
        _when('state == "repositioning"', "trigger_bounces", for_ms=60_000),
        start={"parameters": {"trigger_required": 1}},
    ),
    "trigger_stuck": _scene(
        _when(_LINKING, "trigger_stuck", for_ms=8_000), start={"parameters": {"trigger_required": 1}}
    ),
    "many_missed": _scene(_when(_LINKING, "cores_missed", p=0.5, for_ms=60_000)),
    "rival_of_nobody": _scene(
        _when('state == "anesthesia_wait"', "host_crash"), _when('frame("HELLO", 2)', "other_host")
    ),
    "stopped_while_idle": _scene(_when(_LINKING, "emergency_stop", for_ms=1_000)),
    "flooded_while_idle": _scene(_flooded(_LINKING)),
    "flooded_in_a_purge": _scene(_when("cycle == 1", "clog"), _flooded('state == "purging"')),
    "flooded_while_disarming": _scene(_flooded('state == "disarming"')),
    "flooded_in_a_pause": _scene(_PAUSE, _flooded('state == "paused"')),
    "flooded_in_a_fault": _scene(_when(_A_CYCLE, "retract_sensor_stuck", for_ms=1_000), _flooded('state == "fault"')),
    "no_home_after_a_punch": _scene(
        _when(_PUNCH, "retract_sensor_stuck", for_ms=1_000), _when(_PUNCH, "pressure_frozen", kpa=-20, for_ms=1_000)
    ),
    "no_home_after_a_count": _scene(
        _when(_COUNT, "retract_sensor_stuck", for_ms=1_000), _when(_COUNT, "pressure_frozen", kpa=-20, for_ms=1_000)
    ),
    "closed_in_a_pause": _scene(_PAUSE, _when('state == "paused"', "closed_early")),
    "closed_at_once": _scene(_when('state == "session_open"', "closed_early")),
    "closed_in_the_wait": _scene(_when('state == "anesthesia_wait"', "closed_early")),
}
"""Mixtures without which a part of the tables, a refusal or an alarm is hardly ever met."""

USUAL_PROFILE: Final[JsonObject] = {
    "mqtt": 0.25,
    "baud": [0, 0, 0, 0, 115_200, 460_800, 921_600],
    "waits_ms": [10, 1_000, 20_000],
    "abandons": 0.1,
    "heard": 0.5,
    "kinds": {
        "drop": _spoils(0.22),
        "flip": _spoils(0.19, bits=[1, 1, 2, 8]),
        "insert": _spoils(0.19, bytes=[1, 4, 32, 256]),
        "duplicate": _spoils(0.22),
        "reorder": _spoils(0.12, by_ms=[1, 20, 100, 700]),
        "latency": _kind(0.12, added_ms=[1, 5, 30, 150], direction=["both", "host", "device"], for_ms=[1_000, 8_000]),
        "jitter": _kind(0.12, most_ms=[1, 20, 100], direction=["both", "host", "device"], for_ms=[1_000, 8_000]),
        "bandwidth": _kind(
            0.1, bytes_per_s=[960, 5_000, 11_520], direction=["both", "host", "device"], for_ms=[1_000, 8_000]
        ),
        "mute": _kind(0.15, direction=["both", "host", "device"], for_ms=[30, 400, 2_000, 20_000]),
        "disconnect": _kind(0.22, for_ms=[1, 300, 3_000, 8_000, 100_000], bursts=0.1),
        "half_open": _kind(0.09, unaware=["host", "device"], for_ms=[300, 3_000, 20_000]),
        "reboot": _kind(0.22, bursts=0.25),
        "brown_out": _kind(0.12, for_ms=[50, 500, 5_000], bursts=0.1),
        "latch_unreadable": _kind(0.12),
        "retract_sensor_stuck": _plant(0.05, for_ms=[1_000]),
        "retract_jammed": _plant(0.07),
        "motor_stalled": _plant(0.05, stall_at=[0, 0.3, 0.9], for_ms=[1_000]),
        "motor_stalls": _kind(0.09, strokes=[1, 2, 3]),
        "motor_slow": _plant(0.05, factor=[1.5, 2, 3]),
        "leak": _plant(0.05, kpa_per_s=[10, 25, 60]),
        "line_blocked": _plant(0.05),
        "pump_stalled": _plant(0.07),
        "pressure_offset": _plant(0.05, kpa=[-20, -5, 5, 20]),
        "pressure_drift": _plant(0.05, kpa_min=[-20, 20]),
        "pressure_noise": _plant(0.05, kpa=[1, 5]),
        "pressure_frozen": _plant(0.05, kpa=[-90, -55, -20, 0]),
        "encoder_offset": _plant(0.05, um=[-600, 100, 400, 600]),
        "cores_missed": _plant(0.06, p=[0.05, 0.3, 1]),
        "cores_invented": _plant(0.06, p=[0.05, 0.3, 1]),
        "clog": _kind(0.09, needle=[0, 1, 2]),
        "wear": _plant(0.06, factor=[3, 20]),
        "canister_jump": _kind(0.04, times=[1], ml=[10, 90, 150]),
        "vent_blocked": _plant(0.05),
        "overheat": _plant(0.05, w=[4, 40, 100]),
        "temperature_drift": _plant(0.04, k_min=[-60, 60]),
        "temperature_noise": _plant(0.04, k=[2, 10]),
        "clock_drift": _plant(0.05, ppm=[-1_000, 200, 1_000]),
        "self_test_fails": _kind(0.04, times=[1], for_ms=[1_000, 10_000]),
        "emergency_stop": _plant(0.07, for_ms=[1_000, 10_000]),
        "fluid_inside": _plant(0.05),
        "trigger_stuck": _plant(0.05),
        "trigger_bounces": _plant(0.05),
        "trigger_held": _plant(0.05),
        "cartridge_missing": _plant(0.05),
        "cartridge_used": _plant(0.05),
        "cartridge_cloned": _plant(0.05),
        "torn_write": _kind(0.19, when=["write", "write", "resume", "phase"], kept=[0, 1], bursts=0.25),
        "lost_write": _kind(0.15, when=["write", "write", "resume", "phase"], bursts=0.1),
        "short_write": _kind(0.09, when=["write", "write", "resume", "phase"]),
        "disk_full": _kind(0.07, for_ms=[100, 2_000, 5_000]),
        "host_crash": _kind(0.22, bursts=0.25),
        "crash_before_commit": _kind(0.12, when=["commit", "commit", "time", "resume"]),
        "crash_after_commit": _kind(0.12, when=["commit", "commit", "time", "resume"]),
        "interrupt": _kind(0.09, times=[1]),
        "log_full": _kind(0.07, when=["commit", "commit", "time"], commits=[1, 2]),
        "log_slow": _kind(0.09, by_ms=[10, 200, 1_000], for_ms=[5_000, 20_000]),
        "stopped_by_viewer": _kind(0.15),
        "other_host": _kind(0.15, who=["rival", "rival", "rival", "other_major", "other_schema", "newer"]),
        "paused": _kind(0.09, hold_ms=[10, 1_000, 20_000]),
        "closed_early": _kind(0.03, times=[1]),
        "broker_killed": _kind(0.19, for_ms=[300, 3_000, 30_000]),
        "broker_restarted": _kind(0.19),
        "broker_frozen": _kind(0.19, for_ms=[200, 1_000, 5_000]),
        "publish_doubled": _spoils(0.19),
        "publish_reordered": _spoils(0.12, by_ms=[1, 20, 100, 700]),
        "publish_lost": _kind(0.22, arrives=[0, 1], direction=["both", "host", "device"], for_ms=[200, 500, 3_000]),
        "stale_command": _kind(0.12),
    },
    "scenes": _SCENES,
}
