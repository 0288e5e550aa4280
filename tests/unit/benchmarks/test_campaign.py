"""The campaign of short sessions: each is of 20 cycles, all are in its log; bare ones have no fault and no judge."""

import asyncio
from pathlib import Path

from benchmarks import campaign
from devicectl.campaign.many.draw import draw
from devicectl.campaign.many.profile import make_profile
from devicectl.campaign.many.trials import Trials
from devicectl.campaign.many.usual import USUAL_PROFILE
from devicectl.campaign.scenario import Scenario
from devicectl.campaign.trial import Trial
from devicectl.log.reader import LogReader


def test_every_session_is_held_to_its_end_and_logged(tmp_path: Path) -> None:
    assert asyncio.run(campaign.rate(str(tmp_path / "log.sqlite"), 2)) > 0
    with LogReader.open(tmp_path / "log.sqlite") as reader:
        found = list(reader.sessions())
    assert [one.start.seed for one in found] == [*range(campaign.WARM_UP + 2)]
    assert {(one.state, one.reconciled, one.counts.cycles) for one in found} == {("completed", True, 20)}


def test_rates_are_of_the_sessions_with_and_without_their_faults() -> None:
    found = campaign.rates(2)
    assert found["judged"] > 0 < found["bare"]
    assert abs(found["ratio"] - found["judged"] / found["bare"]) < 1e-9


def test_a_bare_session_has_neither_faults_nor_judges() -> None:
    scenario = draw(make_profile(USUAL_PROFILE), 1, campaign.CYCLES)
    held: list[Trial] = []

    class Watched(Trials):
        def run(self, scenario: Scenario) -> Trial:
            held.append(super().run(scenario))
            return held[-1]

    with Watched() as sessions:
        campaign.judged_s(sessions, scenario)
        campaign.bare_s(sessions, scenario)
    judged, bare = (trial.verdict for trial in held)
    assert judged.fired and {"host", "device"} <= {what for what, _ in judged.seen}
    assert not bare.fired and {what for what, _ in bare.seen} == {"host"}, "what the device did is seen by judges alone"
