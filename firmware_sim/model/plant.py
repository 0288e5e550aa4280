"""The physics of the handpiece: what the needles cut, what the suction brings, what the count sensor sees.

The needle drive, the vacuum line, the heat, the canister and the clock are members with a module each.

Law: functions of state, inputs and the time handed in; nothing ticks. What changes with time is a closed form, so it
costs the same whether it is asked once or a thousand times. Ground truth lives here alone: the firmware may read the
sensors (`vacuum.sensed_kpa`, `heat.sensed_c`, `needle.encoder_um`, `needle.retracted`, `sense`) and must not decide by
the truth.

Each subsystem draws from its own stream, by the cycle and the act in it, and draws once a needle whatever happens: so
neither a fault in one cycle nor a clog in one needle changes any other number of the run.
"""

import math
from dataclasses import dataclass
from typing import Final

from firmware_sim.model.canister import Canister
from firmware_sim.model.heat import Heat
from firmware_sim.model.inputs import PlantInputs
from firmware_sim.model.instruments import DeviceClock
from firmware_sim.model.needle import NeedleDrive
from firmware_sim.model.parameters import Parameters
from firmware_sim.model.streams import WORDS, Streams
from firmware_sim.model.vacuum import Vacuum
from protocols.language.units import Micros


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
    """One handpiece with its consumables. Sets of needles are masks, one bit each."""

    __slots__ = (
        "_bits",
        "_cut",
        "_evacuated",
        "_partial",
        "_streams",
        "all_needles",
        "canister",
        "cartridge",
        "clock",
        "clogged",
        "heat",
        "inputs",
        "needle",
        "needles",
        "parameters",
        "skin_touched",
        "told_cleared",
        "told_cores",
        "told_hand_us",
        "trigger_pressed",
        "truth",
        "vacuum",
    )

    def __init__(self, parameters: Parameters, seed: int, *, earlier_boots: int = 0, cartridge_serial: int = 1) -> None:
        """Make a handpiece whose chance goes on after `earlier_boots` of the same device, and does not begin again."""
        self.parameters = parameters
        self.inputs = PlantInputs()
        self.trigger_pressed = False
        self._streams = Streams(seed, earlier_boots, parameters.needles)
        self.needle = NeedleDrive(parameters, self.inputs, self._streams)
        self.vacuum = Vacuum(parameters, self.inputs, self._streams)
        self.heat = Heat(parameters, self.inputs, self.vacuum, self._streams)
        self.canister = Canister(parameters, self.inputs)
        self.clock = DeviceClock(self.inputs)
        self.cartridge = Cartridge(cartridge_serial)
        self.truth = Truth()
        self.needles: Final = parameters.needles
        self.all_needles: Final = (1 << parameters.needles) - 1
        self._bits: Final = tuple(1 << needle for needle in range(parameters.needles))
        self.clogged = 0
        self.skin_touched = False
        """The needles have punctured in the present cycle."""
        self.told_cores: int | None = None
        """Needles whose core comes in the present cycle and is seen, where a recording has it; None: left to chance."""
        self.told_cleared: int | None = None
        """Needles that the next purge frees, where a recording has it; None: left to chance."""
        self.told_hand_us: int | None = None
        """Time that the hand takes to the next cell, where a recording has it; None: left to chance."""
        self._cut = 0
        self._partial = 0
        self._evacuated = 0

    # -- session, cycle and power -----------------------------------------------------------------------------

    def begin_session(self, now: Micros) -> None:
        """Start the ground truth of a new session."""
        self.settle(now)
        self.truth = Truth()

    def fit_fresh_consumables(self, serial: int, now: Micros) -> None:
        """Fit a new cartridge, hence no clogs and no wear, and an empty canister."""
        self.settle(now)
        self.cartridge = Cartridge(serial)
        self.clogged = 0
        self.canister.empty()

    def reboot(self, now: Micros) -> None:
        """Lose power: the pump stops, the line vents, the reserve brings the needles home."""
        self.vent(now)
        self.needle.pull_home(now)
        self._cut = self._partial = self._evacuated = 0

    def begin_cycle(self) -> None:
        """Begin a cycle, as commanded."""
        self.truth.cycles_commanded += 1
        self._streams.begin_cycle()
        self.skin_touched = False
        self.told_cores = None
        self._cut = self._partial = self._evacuated = 0

    def end_cycle(self, completed: bool) -> None:
        """End the cycle."""
        if completed:
            self.truth.cycles_completed += 1

    # -- pump and stroke ----------------------------------------------------------------------------------------

    def start_pump(self, now: Micros) -> None:
        """Close the vent and run the pump."""
        self._switch_pump(True, now)

    def vent(self, now: Micros) -> None:
        """Stop the pump and open the vent."""
        self._switch_pump(False, now)

    def _switch_pump(self, on: bool, now: Micros) -> None:
        self.settle(now)
        self.vacuum.switch_pump(on, now)
        self.settle(now)

    def settle(self, now: Micros) -> None:
        """Bring what changes with time up to `now`; to be called before an input changes."""
        self.vacuum.pressure_kpa(now)
        self.vacuum.error_kpa(now)
        self.heat.sensed_c(now)
        self.clock.at(now)

    def extend(self, depth_um: int, now: Micros) -> Micros:
        """Start a stroke; return when the needles should be at `depth_um`, stalled or not."""
        arrival = self.needle.extend(depth_um, now)
        if self.needle.extending and not self.skin_touched:
            # Home is on the skin: a needle that leaves it has punctured, however short the stroke. A second try
            # of the same cycle goes into the same holes.
            self.skin_touched = True
            self.truth.punctures += self.needles
            self.cartridge.cycles += 1
        return arrival

    # -- cores ----------------------------------------------------------------------------------------------------

    @property
    def serial_read(self) -> int:
        """Serial number of the cartridge as the device reads it; that of another one, where this is a clone."""
        return self.inputs.cloned_serial or self.cartridge.serial

    @property
    def trigger_closed(self) -> bool:
        """True if the contact of the trigger is closed, now and then or all the time."""
        return self.trigger_pressed or self.inputs.trigger_held or self.inputs.trigger_stuck

    @property
    def wear(self) -> float:
        """Wear of the cartridge: 0 new, 1 at the end of its life."""
        return self.cartridge.cycles * self.parameters.wear_per_cycle * self.inputs.wear_factor

    def cut(self, now: Micros) -> None:
        """Draw what each needle does at the depth of the stroke: clog, miss, cut a core or a partial one."""
        parameters, inputs, wear = self.parameters, self.inputs, self.wear
        deficit = max(0.0, 1 - self.vacuum.pressure_kpa(now) / parameters.vacuum_set_kpa)
        hazard = parameters.clog_hazard * (1 + parameters.clog_vacuum_gain * deficit) * (1 + wear)
        clogs_below = int(hazard * WORDS)
        cuts_below = int((1 - parameters.miss_p * (1 + wear * wear)) * WORDS)
        partial_below = int(parameters.partial_p * WORDS)
        clogging = cut = partial = 0
        for bit, clog, fate in zip(self._bits, self._streams.draw("clog"), self._streams.draw("needles"), strict=True):
            if clog < clogs_below:
                clogging |= bit
            if fate < cuts_below:
                cut |= bit
                if fate < partial_below:
                    partial |= bit
        if inputs.clog_now:
            clogging |= sum(1 << needle for needle in inputs.clog_now) & self.all_needles
            inputs.clog_now.clear()
        if clogging:
            self.truth.clogs += (clogging & ~self.clogged).bit_count()
            self.clogged |= clogging
        self._cut = cut & ~self.clogged
        self._partial = partial

    def evacuate(self, now: Micros) -> None:
        """Draw which of the cut cores come out at the present pressure."""
        parameters = self.parameters
        suction = -self.vacuum.needles_kpa(now)
        comes_p = 1 / (1 + math.exp((parameters.evacuate_mid_kpa - suction) / parameters.evacuate_slope_kpa))
        comes_below, loose = int(comes_p * WORDS), 0
        for bit, word in zip(self._bits, self._streams.draw("evacuation"), strict=True):
            if word < comes_below:
                loose |= bit
        self._evacuated = evacuated = loose & self._cut if self.told_cores is None else self.told_cores
        self._cut = 0
        count = evacuated.bit_count()
        self.canister.take_cores(count, (evacuated & self._partial).bit_count(), self.needle.stroke_um)
        self.truth.cores_evacuated += count
        # Each core lets some air in: the pressure steps up and goes on from there.
        self.vacuum.rise_to(self.vacuum.pressure_kpa(now) + count * parameters.core_cost_kpa, now)

    def sense(self, now: Micros) -> int:
        """Return the needles whose core the count sensor saw."""
        parameters, inputs = self.parameters, self.inputs
        seen_below = int((1 - parameters.sensor_false_negative_p) * (1 - inputs.sensor_drop_p) * WORDS)
        extra_below = int((parameters.sensor_false_positive_p + inputs.sensor_extra_p) * WORDS)
        evacuated, seen = self._evacuated, 0
        for bit, word in zip(self._bits, self._streams.draw("sensor"), strict=True):
            if word < (seen_below if evacuated & bit else extra_below):
                seen |= bit
        if self.told_cores is not None:
            seen = self.told_cores
        self.truth.cores_counted += seen.bit_count()
        return seen

    def purge(self, mask: int) -> int:
        """Blow the needles of `mask` free; return those that are free afterwards."""
        works_below, cleared = int(self.parameters.purge_p * WORDS), 0
        for bit, word in zip(self._bits, self._streams.draw("purge"), strict=True):
            if mask & bit and (word < works_below or not self.clogged & bit):
                cleared |= bit
        if self.told_cleared is not None:
            cleared, self.told_cleared = self.told_cleared & mask, None
        self.clogged &= ~cleared
        return cleared

    def reposition_us(self) -> Micros:
        """Draw how long the hand takes to the next cell."""
        sigma = self.parameters.reposition_sigma
        # A lognormal's mean is exp(mu + sigma^2 / 2): the constant is the mean, not the median.
        mu = math.log(self.parameters.reposition_mean_s) - sigma * sigma / 2
        # Box and Muller: two even numbers make a normal one. The first is never 0, whose logarithm there is not.
        radius, angle = self._streams.draw("hand")[0] + 1, self._streams.draw("hand's angle")[0]
        normal = math.sqrt(-2 * math.log(radius / WORDS)) * math.cos(2 * math.pi * angle / WORDS)
        duration = round(math.exp(mu + sigma * normal) * 1e6)
        if self.told_hand_us is not None:
            duration, self.told_hand_us = self.told_hand_us, None
        return Micros(duration)
