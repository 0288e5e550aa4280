"""The end of a campaign, whatever ends it: the report is on disk, and another signal does not cost it."""

import json
import signal
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from devicectl.campaign.many.campaign import Campaign
from devicectl.campaign.many.tally import Failure, Tally
from devicectl.cli.trials.holding import EXIT_INTERRUPTED, EXIT_WRONG, SMALL, Holding, Outputs, hold
from devicectl.log.store import SessionLog
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


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Tally:
    """A session that fails each time, since a host cannot write to its log."""

    def fail(*given: Any) -> None:
        raise KeyError("a defect")

    monkeypatch.setattr(SessionLog, "store", fail)
    return Tally(sessions=1, failures=[Failure(1, "wrong", "traceback", 0, "a defect", [])])


@pytest.mark.parametrize("interrupted", [True, False])
def test_a_failing_session_is_recorded_and_made_small_unless_it_was_interrupted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], failing: Tally, interrupted: bool
) -> None:
    def source() -> Generator[tuple[range, Tally], None, None]:
        yield range(1, 2), failing
        if interrupted:
            signal.raise_signal(signal.SIGINT)

    holding = Holding(WORK, lambda tally, done, seconds: {"notice": "simulated"}, lambda data: iter(()))
    record = tmp_path / "wrong.pcapng"
    ending = hold(holding, source(), Outputs(None, None, record, as_json=False))
    assert ending == (EXIT_INTERRUPTED if interrupted else EXIT_WRONG)
    assert record.stat().st_size
    assert (tmp_path / f"wrong{SMALL}.pcapng").exists() is not interrupted
    assert ("made small" in capsys.readouterr().err) is not interrupted
