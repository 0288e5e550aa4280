"""Inputs of the plant: defects that can be put in, and the switches that a hand works.

Law: plain values. Whoever changes one lets the firmware look afterwards (`Device.inputs_changed`).
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class PlantInputs:
    """Defects, all off by default. The firmware reads the last eight as the inputs they are.

    Call `Plant.settle(now)` before changing one, and the change takes effect at `now`; otherwise one that acts over
    time, as a stalled pump or a drift does, takes effect at the last time the plant was asked.
    """

    retract_sensor_stuck: bool = False  # the sensor says "not retracted"
    retract_jammed: bool = False  # the needle stays where it is
    stall: bool = False  # every stroke stops at `stall_at` of its depth
    stalls_left: int = 0  # so many strokes still stall
    stall_at: float = 0.0  # 0: the needle never leaves home
    motor_slow: float = 1.0  # strokes and retractions take so many times as long
    pump_stalled: bool = False
    leak_kpa_s: float = 0.0  # air that comes in beside the needles, on top of the parameter of that name
    line_blocked: bool = False  # the needles have no suction, though the sensor beside the pump reads it
    pressure_offset_kpa: float = 0.0
    pressure_drift_kpa_min: float = 0.0  # by which the reading goes off each minute, from the change on
    pressure_noise_kpa: float = 0.0  # by which a sample is off at most, either way
    frozen_kpa: float | None = None  # what the pressure sensor reads, whatever the pressure
    depth_offset_um: int = 0
    sensor_drop_p: float = 0.0  # further cores that came and are not seen
    sensor_extra_p: float = 0.0  # further cores that did not come and are seen
    clog_now: set[int] = field(default_factory=set)  # needles that clog at the next stroke; emptied by it
    wear_factor: float = 1.0
    canister_ul_added: float = 0.0
    vent_blocked: bool = False
    heat_added_w: float = 0.0  # warms the handle, pump or no pump
    temperature_drift_k_min: float = 0.0
    temperature_noise_k: float = 0.0
    clock_drift_ppm: float = 0.0  # by which the uptime runs fast; below 0: slow
    cloned_serial: int = 0  # what the fitted cartridge says in place of its own serial number
    self_test_failure: str = ""
    estop_open: bool = False
    wet: bool = False  # fluid has got in
    trigger_held: bool = False
    trigger_stuck: bool = False  # its contact stays closed when the hand lets go
    trigger_bounces: bool = False  # its contact closes and opens without end while it is held
    latch_unreadable: bool = False
    cartridge_missing: bool = False
    cartridge_used: bool = False  # the seal of the fitted one is broken
