"""The end of a campaign, whatever ends it: the report is on disk, and another signal does not cost it."""

import json
import signal
from collections.abc import Generator
from pathlib import Path

from devicectl.campaign.many.campaign import Campaign
from devicectl.campaign.many.tally import Tally
from devicectl.cli.trials.holding import EXIT_INTERRUPTED, Holding, Outputs, hold
from protocols.capture.packet import JsonObject

WORK = Campaign({"kinds": {}}, sessions=2, cycles=1, seed=1)


def test_ctrl_c_once_more_while_it_ends_does_not_cost_the_report(tmp_path: Path) -> None:
    def source() -> Generator[tuple[range, Tally], None, None]:
        yield range(1, 2), Tally(sessions=1)
        signal.raise_signal(signal.SIGINT)

    def data(tally: Tally, done: int, seconds: float) -> JsonObject:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        return {"notice": "simulated", "sessions": tally.sessions, "done": done}

    report, before = tmp_path / "report.json", signal.getsignal(signal.SIGINT)
    holding = Holding(WORK, data, lambda data: iter(()))
    assert hold(holding, source(), Outputs(report, None, None, as_json=False)) == EXIT_INTERRUPTED
    assert json.loads(report.read_text("utf-8")) == {"notice": "simulated", "sessions": 1, "done": 1}
    assert signal.getsignal(signal.SIGINT) is before
