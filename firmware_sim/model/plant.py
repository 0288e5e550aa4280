"""The physics of the handpiece: needles, vacuum, count sensor, canister, cartridge, heat, and the hand that moves it.

Law: functions of state, inputs and the time handed in; nothing ticks. What changes with time is a closed form from
an anchor, so it costs the same whether it is asked once or a thousand times. Ground truth lives here alone: the
firmware may read the sensors (`sensed_kpa`, `encoder_um`, `retracted`, `sense`) and must not decide by the truth.

Each subsystem draws from its own stream, seeded by its name, and draws once a needle whatever happens: so neither a
new draw in one subsystem nor a clog in one needle shifts any other number of the run.
"""

import math
import random
from dataclasses import dataclass, field
from typing import Final

from firmware_sim.model.parameters import Parameters
from protocols.language.units import Micros, from_ms

VENTED_KPA: Final = 1.0
"""Below this suction the line counts as vented."""


_LEAST_RETRACT_US: Final = 1_000
"""The motor's shortest move: a needle that is home already is home again after it."""


@dataclass(slots=True)
class PlantInputs:
    """Defects that can be put in, all off by default. The firmware reads the last five as the inputs they are.

    Call `Plant.settle(now)` before changing `pump_stalled` or `vent_blocked`, and the change takes effect at `now`;
    otherwise it does so at the last time the plant was asked.
    """

    retract_sensor_stuck: bool = False  # the sensor says "not retracted"
    retract_jammed: bool = False  # the needle stays where it is
    stall: bool = False  # every stroke stops at `stall_at` of its depth
    stalls_left: int = 0  # so many strokes still stall
    stall_at: float = 0.0  # 0: the needle never leaves home
    pump_stalled: bool = False
    pressure_offset_kpa: float = 0.0
    frozen_kpa: float | None = None  # what the pressure sensor reads, whatever the pressure
    depth_offset_um: int = 0
    sensor_drop_p: float = 0.0  # further cores that came and are not seen
    sensor_extra_p: float = 0.0  # further cores that did not come and are seen
    clog_now: set[int] = field(default_factory=set)  # needles that clog at the next stroke; emptied by it
    wear_factor: float = 1.0
    canister_ul_added: float = 0.0
    vent_blocked: bool = False
    self_test_failure: str = ""
    estop_open: bool = False
    trigger_held: bool = False
    latch_unreadable: bool = False
    cartridge_missing: bool = False


@dataclass(slots=True)
class Cartridge:
    """A needle cartridge; `cycles` are those in which it punctured, wherever it did."""

    serial: int
    sterile: bool = True
    expired: bool = False
    cycles: int = 0


@dataclass(slots=True)
class Truth:
    """The five counters of a session as they really were, and the clogs. A real device has no such thing."""

    cycles_commanded: int = 0
    cycles_completed: int = 0
    punctures: int = 0
    cores_evacuated: int = 0
    cores_counted: int = 0
    clogs: int = 0


class Plant:
    """One handpiece with its consumables; `inputs`, `cartridge`, `clogged`, `truth` and `canister_ul` may be read."""

    def __init__(self, parameters: Parameters, seed: int, *, earlier_boots: int = 0, cartridge_serial: int = 1) -> None:
        """What is random goes on after `earlier_boots` of the same device, and does not begin again."""
        self.parameters = parameters
        self.inputs = PlantInputs()
        self.cartridge = Cartridge(cartridge_serial)
        self.clogged = 0
        self.truth = Truth()
        self.canister_ul = 0.0
        self.pump_on = False
        self.skin_touched = False
        self.needles: Final = parameters.needles
        self.all_needles: Final = (1 << parameters.needles) - 1
        self._bits: Final = tuple(1 << needle for needle in range(parameters.needles))
        self._core_mm2 = math.pi / 4 * parameters.core_diameter_mm**2
        self._punch_us, self._retract_us = from_ms(parameters.punch_ms), from_ms(parameters.retract_ms)
        self._hand, self._needle_draw, self._clog, self._sensor, self._purge, self._evacuation, self._encoder = (
            random.Random(f"{seed}:{name}" if not earlier_boots else f"{seed}:{earlier_boots}:{name}")
            for name in ("hand", "needles", "clog", "sensor", "purge", "evacuation", "encoder")
        )
        sigma = parameters.reposition_sigma
        # A lognormal's mean is exp(mu + sigma^2 / 2): the constant is the mean, not the median.
        self._hand_mu = math.log(parameters.reposition_mean_s) - sigma * sigma / 2
        # Vacuum and heat: value at an anchor, and where it goes from there.
        self._kpa, self._kpa_at, self._kpa_goal, self._kpa_tau_us = 0.0, 0, 0.0, parameters.vent_tau_s * 1e6
        self._kpa_asked_at = 0
        self._heat_c, self._heat_at, self._heat_goal = parameters.ambient_c, 0, parameters.ambient_c
        self._heat_asked_at = 0
        # The needle: from one depth at one time to another, in a straight line.
        self._from_um, self._from_at, self._to_um, self._to_at = 0, 0, 0, 0
        self._stroke_um = 0
        self._encoder_error_um = 0.0
        self._cut = 0
        self._partial = 0
        self._evacuated = 0

    # -- session and power ------------------------------------------------------------------------------------

    def begin_session(self, now: Micros) -> None:
        """Start the ground truth of a new session."""
        self.settle(now)
        self.truth = Truth()

    def fit_fresh_consumables(self, serial: int, now: Micros) -> None:
        """A new cartridge, hence no clogs and no wear, and an empty canister."""
        self.settle(now)
        self.cartridge = Cartridge(serial)
        self.clogged = 0
        self.canister_ul = 0.0
        self.inputs.canister_ul_added = 0.0

    def reboot(self, now: Micros) -> None:
        """Power was lost: the pump stops, the line vents, the reserve brings the needle home."""
        self.vent(now)
        self._from_um = self._to_um = 0  # the reserve brings home even a needle that was jammed
        self._from_at = self._to_at = now
        self._cut = self._partial = self._evacuated = 0

    def begin_cycle(self) -> None:
        """A cycle was commanded."""
        self.truth.cycles_commanded += 1
        self.skin_touched = False
        self._cut = self._partial = self._evacuated = 0

    def end_cycle(self, completed: bool) -> None:
        """The cycle has ended."""
        if completed:
            self.truth.cycles_completed += 1

    # -- vacuum ------------------------------------------------------------------------------------------------

    def pressure_kpa(self, now: Micros) -> float:
        """True pressure in the line against ambient, 0 or below."""
        goal = self._wanted_kpa()
        if goal != self._kpa_goal:
            self._anchor_kpa(self._kpa_asked_at)
            self._kpa_goal = goal
        self._kpa_asked_at = now
        return goal + (self._kpa - goal) * math.exp((self._kpa_at - now) / self._kpa_tau_us)

    def _anchor_kpa(self, at: int) -> None:
        """Go on from the pressure that stood at `at`. Only a change anchors anew: to ask never changes a number."""
        goal = self._kpa_goal
        self._kpa = goal + (self._kpa - goal) * math.exp((self._kpa_at - at) / self._kpa_tau_us)
        self._kpa_at = at

    def sensed_kpa(self, now: Micros) -> float:
        """What the pressure sensor reads."""
        inputs = self.inputs
        if inputs.frozen_kpa is not None:
            return inputs.frozen_kpa
        return self.pressure_kpa(now) + inputs.pressure_offset_kpa

    def start_pump(self, now: Micros) -> None:
        """Close the vent and run the pump."""
        self._switch_pump(True, self.parameters.vacuum_tau_s, now)

    def vent(self, now: Micros) -> None:
        """Stop the pump and open the vent."""
        self._switch_pump(False, self.parameters.vent_tau_s, now)

    def _switch_pump(self, on: bool, tau_s: float, now: Micros) -> None:
        self.settle(now)
        self._anchor_kpa(now)
        self.pump_on = on
        self._kpa_tau_us = tau_s * 1e6
        self.settle(now)

    def when_pressure_crosses(self, threshold_kpa: float, now: Micros) -> Micros | None:
        """When the true pressure will next reach the threshold under present inputs; None if never."""
        start = self.pressure_kpa(now)
        return _when(start, self._kpa_goal, threshold_kpa, self._kpa_tau_us, now)

    def when_sensed_crosses(self, threshold_kpa: float, now: Micros) -> Micros | None:
        """The same for what the sensor reads; a frozen sensor never gets anywhere."""
        if self.inputs.frozen_kpa is not None:
            return None
        return self.when_pressure_crosses(threshold_kpa - self.inputs.pressure_offset_kpa, now)

    def _wanted_kpa(self) -> float:
        """Where the pressure is going. The goal of a leak is never above ambient."""
        if not self.pump_on or self.inputs.pump_stalled:
            return 0.0
        parameters = self.parameters
        return min(0.0, parameters.vacuum_set_kpa + parameters.leak_kpa_s * parameters.vacuum_tau_s)

    def settle(self, now: Micros) -> None:
        """Bring what changes with time up to `now`; to be called before an input changes."""
        self.pressure_kpa(now)
        self.temperature_c(now)

    # -- needle ------------------------------------------------------------------------------------------------

    def extend(self, depth_um: int, now: Micros) -> Micros:
        """Start the stroke; the time at which the needle should stand at `depth_um`, stalled or not."""
        inputs, parameters = self.inputs, self.parameters
        arrival = Micros(now + self._punch_us)
        start = self.depth_um(now)
        goal = depth_um
        if inputs.stall or inputs.stalls_left > 0:
            inputs.stalls_left = max(0, inputs.stalls_left - 1)
            goal = max(start, int(depth_um * inputs.stall_at))
        self._from_um, self._from_at, self._to_um, self._to_at = start, now, goal, arrival
        self._stroke_um = depth_um
        self._encoder_error_um = self._encoder.uniform(-parameters.depth_tolerance_um, parameters.depth_tolerance_um)
        if goal > 0 and not self.skin_touched:
            # Home is on the skin: a needle that leaves it has punctured, however short the stroke. A second try
            # of the same cycle goes into the same holes.
            self.skin_touched = True
            self.truth.punctures += self.needles
            self.cartridge.cycles += 1
        return arrival

    def retract(self, now: Micros) -> Micros:
        """Bring the needle home from wherever it is, at once; the time at which it should be there."""
        start = self.depth_um(now)
        full = max(self._stroke_um, start, 1)
        home_at = Micros(now + max(_LEAST_RETRACT_US, self._retract_us * start // full))
        goal = start if self.inputs.retract_jammed else 0
        self._from_um, self._from_at, self._to_um, self._to_at = start, now, goal, home_at
        return home_at

    def depth_um(self, now: Micros) -> int:
        """True depth of the needles."""
        if now >= self._to_at:
            return self._to_um
        # Rounded towards where it comes from: it has not arrived before its time.
        travel, elapsed, duration = self._to_um - self._from_um, now - self._from_at, self._to_at - self._from_at
        moved = travel * elapsed // duration if travel > 0 else -(-travel * elapsed // duration)
        return self._from_um + moved

    def encoder_um(self, now: Micros) -> int:
        """Depth as the encoder measures it; its error is drawn once a stroke and grows with the depth."""
        depth = self.depth_um(now)
        error = self._encoder_error_um * depth / self._stroke_um if depth else 0.0
        return max(0, depth + round(error) + self.inputs.depth_offset_um)

    def home(self, now: Micros) -> bool:
        """Whether the needle truly is home."""
        return self._to_um == 0 and (now >= self._to_at or self._from_um == 0)

    def retracted(self, now: Micros) -> bool:
        """Whether the retracted sensor says that the needle is home."""
        return not self.inputs.retract_sensor_stuck and self.home(now)

    # -- cores -------------------------------------------------------------------------------------------------

    @property
    def wear(self) -> float:
        """Wear of the cartridge: 0 new, 1 at the end of its life."""
        return self.cartridge.cycles * self.parameters.wear_per_cycle * self.inputs.wear_factor

    def pierce(self, now: Micros) -> None:
        """The stroke has reached its depth: draw what each needle did."""
        parameters, inputs, wear = self.parameters, self.inputs, self.wear
        lack = max(0.0, 1 - self.pressure_kpa(now) / parameters.vacuum_set_kpa)
        hazard = parameters.clog_hazard * (1 + parameters.clog_vacuum_gain * lack) * (1 + wear)
        cuts_p = 1 - parameters.miss_p * (1 + wear * wear)
        partial_p = parameters.partial_p
        clog, draw = self._clog.random, self._needle_draw.random
        clogging = cut = partial = 0
        for bit in self._bits:
            if clog() < hazard:
                clogging |= bit
            fate = draw()
            if fate < cuts_p:
                cut |= bit
                if fate < partial_p:
                    partial |= bit
        if inputs.clog_now:
            clogging |= sum(1 << needle for needle in inputs.clog_now) & self.all_needles
            inputs.clog_now.clear()
        if clogging:
            self.truth.clogs += (clogging & ~self.clogged).bit_count()
            self.clogged |= clogging
        self._cut = cut & ~self.clogged
        self._partial = partial

    def suck(self, now: Micros) -> None:
        """Draw which of the cut cores come out at the pressure that stands now."""
        parameters = self.parameters
        pressure = self.pressure_kpa(now)
        come_p = 1 / (1 + math.exp((parameters.evacuate_mid_kpa + pressure) / parameters.evacuate_slope_kpa))
        draw = self._evacuation.random
        come = 0
        for bit in self._bits:
            if draw() < come_p:
                come |= bit
        self._evacuated = evacuated = come & self._cut
        self._cut = 0
        count, short = evacuated.bit_count(), (evacuated & self._partial).bit_count()
        tissue_ul = self._core_mm2 * self._stroke_um / 1000
        whole = count - short * (1 - parameters.partial_volume)
        self.canister_ul += tissue_ul * whole + parameters.fluid_ul_per_core * count
        self.truth.cores_evacuated += count
        # Each core lets some air in: the pressure steps up and goes on from there.
        self._kpa, self._kpa_at = min(0.0, pressure + count * parameters.core_cost_kpa), now

    def sense(self, now: Micros) -> int:
        """The needles whose core the count sensor saw, one bit each."""
        parameters, inputs = self.parameters, self.inputs
        see_p = (1 - parameters.sensor_false_negative_p) * (1 - inputs.sensor_drop_p)
        extra_p = parameters.sensor_false_positive_p + inputs.sensor_extra_p
        draw, evacuated = self._sensor.random, self._evacuated
        seen = 0
        for bit in self._bits:
            if draw() < (see_p if evacuated & bit else extra_p):
                seen |= bit
        self.truth.cores_counted += seen.bit_count()
        return seen

    def purge(self, mask: int) -> int:
        """Blow the needles of `mask` free; those that are free afterwards, one bit each."""
        cleared = 0
        for bit in self._bits:
            if mask & bit and (self._purge.random() < self.parameters.purge_p or not self.clogged & bit):
                cleared |= bit
        self.clogged &= ~cleared
        return cleared

    def reposition_us(self) -> Micros:
        """How long the hand takes to the next cell."""
        return Micros(round(self._hand.lognormvariate(self._hand_mu, self.parameters.reposition_sigma) * 1e6))

    # -- canister and heat ---------------------------------------------------------------------------------------

    @property
    def canister_fill(self) -> float:
        """Share of the canister that is full, 0 to 1 and, with a jump put in, above."""
        return (self.canister_ul + self.inputs.canister_ul_added) / (self.parameters.canister_ml * 1000)

    def temperature_c(self, now: Micros) -> float:
        """Temperature of the handle."""
        parameters = self.parameters
        goal = parameters.ambient_c
        if self.pump_on:
            blocked = self.inputs.vent_blocked
            goal += parameters.heat_w * (parameters.heat_blocked_k_per_w if blocked else parameters.heat_k_per_w)
        if goal != self._heat_goal:
            self._heat_c, self._heat_at = self._heat_from_anchor(self._heat_asked_at), self._heat_asked_at
            self._heat_goal = goal
        self._heat_asked_at = now
        return self._heat_from_anchor(now)

    def _heat_from_anchor(self, at: int) -> float:
        goal = self._heat_goal
        return goal + (self._heat_c - goal) * math.exp((self._heat_at - at) / (self.parameters.heat_tau_s * 1e6))


_NEVER_SHARE: Final = 1e-9
"""A threshold this near to the goal, against the way still to go, is never reached: floats end there."""


def _when(start: float, goal: float, threshold: float, tau_us: float, now: Micros) -> Micros | None:
    """When an exponential from `start` towards `goal` reaches `threshold`, after `now`; None if never."""
    gap = start - goal
    # What lies between start and goal is passed; the goal itself takes for ever.
    if gap == 0 or not _NEVER_SHARE < (threshold - goal) / gap < 1:
        return None
    # One microsecond more than the ceiling, so that it is reached there whatever the rounding.
    return Micros(now + math.ceil(tau_us * math.log(gap / (threshold - goal))) + 1)
