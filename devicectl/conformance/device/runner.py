"""One case after the other: needs, stage, limits, and the outcome with all that a reader needs to see.

Law: it decides nothing about the protocol. Whatever a device does, or does not, each case ends: by its own check, by
the limit of a wait, or by the limit of the case.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple, TypeVar, cast

from devicectl.conformance.case import Case, Need
from devicectl.conformance.device.ground import Ground, Stage
from devicectl.conformance.device.linked import SETTLE_MS
from devicectl.conformance.device.probe import BrokenRule, Effect, GoneError, Sent, Steps, UnmetError, Until
from devicectl.conformance.outcome import Difference, Outcome, Word
from protocols.language import messages as M
from protocols.language.units import SECOND, Micros

_T = TypeVar("_T")

CASE_LIMIT_S: Final = 60.0
"""Seconds for one case, the way to its beginning included; the longest of ours takes ten."""
MAX_LOST: Final = 3
"""Cases in a row to whose beginning a device could not be brought, before those of that stage are left out."""
FIRST_LIMIT_S: Final = 20.0
"""Seconds for the first link and DEVICE_INFO, beside the time that a board may boot."""


class Claims(NamedTuple):
    """Facts that a device says of itself, which choose its cases."""

    simulated: bool
    minor: int
    takes_faults: bool
    session_no: int
    model: str
    serial: str
    firmware: str

    @property
    def needs(self) -> frozenset[Need]:
        """The needs that these claims meet."""
        return frozenset({Need.FAULTS} if self.takes_faults else ())


class OutOfTime(Exception):
    """A case has not ended within its limit."""


Kept = Callable[[Outcome, Sequence[Sent]], Outcome]
"""Hears each outcome with what went over the wire, and may add where that is recorded."""


class Runner:
    """Runs cases on a ground. `met` are the needs that the bench meets, `lacks` cases to leave out, and why."""

    def __init__(
        self,
        ground: Ground,
        met: frozenset[Need],
        keep: Kept,
        *,
        run_limit_s: float,
        lacks: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.ground = ground
        self.met = met
        self.outcomes: list[Outcome] = []
        self._keep = keep
        self._lacks = lacks
        self._ends = Micros(round(run_limit_s * SECOND))
        self._run_limit_s = run_limit_s
        self._lost: dict[int, int] = {}

    def first(self) -> Steps[Claims]:
        """Link for the first time and ask the device who it is.

        Raises:
            BrokenRule: it does not link.
            GoneError: there is no way to it.
        """
        return (yield from self._limited(self._first(), self.first_limit_s))

    @property
    def first_limit_s(self) -> float:
        """Seconds for the first link, a board's boot among them."""
        return FIRST_LIMIT_S + self.ground.boot_ms / 1000

    def _first(self) -> Steps[Claims]:
        ground = self.ground
        yield from ground.reach(Stage.LINKED)
        welcome = ground.welcome
        assert welcome is not None
        try:
            said = (yield from ground.ask(M.DeviceInfo())).message
        except (BrokenRule, GoneError):
            said = None  # it has linked: what else it does is for the cases to say
        info = said if isinstance(said, M.DeviceInfoDone) else None
        simulated = welcome.simulated and welcome.minor >= 1
        ground.keeps_consumables = not simulated or (yield from self._keeps_consumables())
        return Claims(
            simulated=welcome.simulated,
            minor=welcome.minor,
            takes_faults=simulated and (yield from self._takes_faults()),
            session_no=welcome.session_no,
            model=info.model if info is not None else "",
            serial=info.serial if info is not None else "",
            firmware=info.firmware_version if info is not None else "",
        )

    def _takes_faults(self) -> Steps[bool]:
        """Ask a simulated device to end the faults that it has: one that takes none says so."""
        try:
            return isinstance((yield from self.ground.ask(M.FaultClear(fault_id=0))).message, M.FaultClearDone)
        except (BrokenRule, GoneError):
            return False

    def _keeps_consumables(self) -> Steps[bool]:
        """Ask a simulated device whether somebody has to fit a fresh cartridge; no answer is none."""
        try:
            said = (yield from self.ground.ask(M.ParamGet(name="consumables_keep"))).message
        except (BrokenRule, GoneError):
            return False
        return isinstance(said, M.ParamGetDone) and said.value != 0

    def run(self, cases: Iterable[Case]) -> Steps[list[Outcome]]:
        """Run cases in their order and leave the device at rest; returns their outcomes."""
        for case in cases:
            missing = sorted(case.needs - self.met)
            if case.id in self._lacks:
                self._end(Outcome(case, Word.SKIPPED, self._lacks[case.id]))
            elif missing:
                self._end(Outcome(case, Word.SKIPPED, f"needs {'; '.join(missing)}"))
            elif self.ground.probe.now >= self._ends:
                self._end(Outcome(case, Word.SKIPPED, f"the limit of the run, {self._run_limit_s:g} s, was over"))
            elif (stage := self._unreached(case)) is not None:
                reason = f"the device could not be brought to {stage.name}, {MAX_LOST} times in a row"
                self._end(Outcome(case, Word.SKIPPED, reason))
            else:
                yield from self._one(case)
        yield from self._rest()
        return self.outcomes

    def _unreached(self, case: Case) -> Stage | None:
        """Return the stage that is given up on and that a case would need."""
        return next(
            (Stage(stage) for stage, lost in self._lost.items() if lost >= MAX_LOST and case.stage >= stage), None
        )

    def _one(self, case: Case) -> Steps[None]:
        ground, probe = self.ground, self.ground.probe
        probe.begin()
        began, ready, reason, unmet = probe.now, False, "", ""
        differences: tuple[Difference, ...] = ()
        try:
            yield from self._limited(ground.reach(Stage(case.stage)), CASE_LIMIT_S)
            ready = True
            self._lost.pop(case.stage, None)
            yield from self._limited(cast("Steps[None]", case.run(ground)), CASE_LIMIT_S)
        except BrokenRule as broken:
            differences, reason = (broken.difference,), str(broken)
        except GoneError as gone:
            reason = str(gone)
        except UnmetError as error:
            unmet = f"needs {error}"
        except OutOfTime:
            reason = f"the case did not end within its limit, {CASE_LIMIT_S:g} s"
        left_anywhere = bool(reason)
        if reason and (sentence := ground.unfit()):
            reason, unmet, differences = "", f"needs a fresh cartridge or canister: {sentence}", ()
        elif reason and not ready:
            self._lost[case.stage] = self._lost.get(case.stage, 0) + 1
            reason = f"could not be brought to {Stage(case.stage).name}: {reason}"
        if reason:
            reason = "; ".join(filter(None, (reason, probe.noise(), ground.rival())))
        word = Word.FAILED if reason else Word.SKIPPED if unmet else Word.PASSED
        outcome = Outcome(
            case,
            word,
            reason or unmet,
            differences,
            tuple(probe.timings),
            tuple(probe.frames),
            (probe.now - began) / SECOND,
        )
        self._end(outcome, probe.pieces)
        yield from self._tidy(failed=left_anywhere)

    def _end(self, outcome: Outcome, pieces: Sequence[Sent] = ()) -> None:
        self.outcomes.append(self._keep(outcome, pieces))

    def _tidy(self, *, failed: bool) -> Steps[None]:
        """Close what a case has opened beside channel 0; after a failure begin again with a new link."""
        ground = self.ground
        others = [channel for channel in ground.probe.channels if channel]
        try:
            for channel in others:
                yield from self._limited(ground.part(channel), CASE_LIMIT_S)
            if failed:
                yield from self._limited(self._anew(), CASE_LIMIT_S)
            if ground.restore:
                yield from self._limited(self._give_back(), CASE_LIMIT_S)
        except (BrokenRule, GoneError, OutOfTime):
            pass  # the next case begins with a HELLO, and says so if that fails

    def _anew(self) -> Steps[None]:
        """Have the device stop, and close the way to it: the next case opens a new one."""
        ground = self.ground
        if ground.has_link:
            ground.link.command(M.Stop())
            ground.leave(ground.link)
        ground.drop_link()
        ground.placed = False
        yield from ground.close_channel(0)

    def _give_back(self) -> Steps[None]:
        """Set what a case has set to what it was, the last first: one value may have to lie below another."""
        ground = self.ground
        messages, ground.restore = ground.restore[::-1], []
        yield from ground.reach(Stage.LINKED)
        for message in messages:
            yield from ground.ask(message)
        yield from ground.probe.pause(SETTLE_MS)
        ground.leave(ground.link)  # what was set counts for the next link

    def _rest(self) -> Steps[None]:
        """Leave the device without a session, as far as it lets itself be left."""
        ground = self.ground
        try:
            if ground.session_no or ground.has_link:
                yield from self._limited(ground.reach(Stage.IDLE), CASE_LIMIT_S)
                ground.leave(ground.link)
        except (BrokenRule, GoneError, OutOfTime):
            pass

    def _limited(self, steps: Steps[_T], limit_s: float) -> Steps[_T]:
        """Run steps to their end or to a limit.

        Raises:
            OutOfTime: the limit.
        """
        probe = self.ground.probe
        ends = Micros(probe.now + round(limit_s * SECOND))
        effect: Effect
        try:
            effect = next(steps)
            while True:
                if isinstance(effect, Until):
                    effect = Until(min(effect.due, ends))
                try:
                    yield effect
                except GoneError as gone:
                    effect = steps.throw(gone)
                    continue
                if probe.now >= ends:
                    steps.close()
                    raise OutOfTime
                effect = steps.send(None)
        except StopIteration as stop:
            result: _T = stop.value
            return result
