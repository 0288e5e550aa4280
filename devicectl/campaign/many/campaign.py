"""A campaign: many sessions, each drawn from a profile and its seed, each judged.

Law: a session depends on its seed, the profile and the cycles, and on no session before it. So any range of seeds may
be judged anywhere, twice, and in any order.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from devicectl.campaign.close import alarm_changes
from devicectl.campaign.many.draw import draw
from devicectl.campaign.many.profile import make_profile
from devicectl.campaign.many.tally import RIGHT, Failure, Tally
from devicectl.campaign.many.trials import Trials
from devicectl.campaign.scenario import Scenario
from devicectl.campaign.trial import Trial
from protocols.capture.packet import JsonObject
from protocols.language.alarm_codes import alarm_label
from protocols.language.enums import AlarmState

CYCLES_A_TASK: Final = 500
"""Work of one task: twenty-five sessions of twenty cycles take about a second, which is one step of the bar."""
MAX_SENTENCE: Final = 2_000
"""Characters that are kept of what a judge says: a traceback's end."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """`sessions` sessions of `cycles` cycles, from `seed` on. `profile` is as `make_profile` takes it."""

    PARTS: ClassVar[str] = "seeds"

    profile: JsonObject
    sessions: int
    cycles: int
    seed: int

    def tasks(self) -> Iterator[range]:
        """Yield the ranges of seeds that are judged together."""
        size = max(1, CYCLES_A_TASK // self.cycles)
        end = self.seed + self.sessions
        for first in range(self.seed, end, size):
            yield range(first, min(first + size, end))

    def judge(self, seeds: range) -> Tally:
        """Hold and judge the sessions of these seeds, one after the other."""
        tally = Tally()
        for judged in self.each(seeds):
            tally.add(judged)
        return tally

    def each(self, seeds: range) -> Iterator[Tally]:
        """Yield what each session of these seeds came to."""
        profile = make_profile(self.profile)
        with Trials() as trials:
            for seed in seeds:
                yield tally_of(trials.run(draw(profile, seed, self.cycles)))

    def scenario(self, seed: int) -> Scenario:
        """Return the session of a seed."""
        return draw(make_profile(self.profile), seed, self.cycles)

    def scenario_of(self, failure: Failure) -> Scenario:
        """Return the session that has failed."""
        return self.scenario(failure.seed)


def tally_of(trial: Trial) -> Tally:
    """Return what one session that was judged has come to."""
    verdict, faults = trial.verdict, trial.scenario.faults
    word = RIGHT if verdict.good else verdict.failure[0]
    tally = Tally(sessions=1, lives=verdict.lives, virtual_us=verdict.virtual_us)
    tally.words[word] += 1
    tally.endings[verdict.ending.partition(":")[0]] += 1
    tally.declared.update(fault.kind.name for fault in faults)
    tally.fired.update(f"{fired.kind} {fired.phase}" for fired in verdict.fired)
    for (what, name), count in verdict.seen.items():
        tally.saw(what, name, count)
    _count_alarms(tally, trial)
    if not verdict.good:
        breach = verdict.breaches[0] if verdict.breaches else None
        judge, at_us, sentence = breach or ("", verdict.virtual_us, verdict.stuck)
        fired = [faults[one.fault].as_json() for one in verdict.fired]
        tally.failures.append(Failure(verdict.seed, word, judge, at_us, sentence[-MAX_SENTENCE:], fired))
    return tally


def _count_alarms(tally: Tally, trial: Trial) -> None:
    """Count the alarms that the log has as raised, and the interlocks that raised them."""
    for change in () if trial.report is None else alarm_changes(trial.report):
        if change.state is AlarmState.ACTIVE:
            tally.saw("alarm", alarm_label(change.code))
            tally.saw("interlock", str(change.interlock))
