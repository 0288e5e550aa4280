"""Our own device first: it passes every case, whatever its seed, with no baseline."""

import pytest

from devicectl.conformance.outcome import Word
from tests.integration.conformance.virtual_run import held


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_simulator_passes_all_that_it_has_what_is_needed_for(seed: int) -> None:
    run = held(f"sim://?seed={seed}")
    assert not [(one.case.id, one.reason) for one in run.outcomes if one.word is Word.FAILED]
    assert {one.reason for one in run.outcomes if one.word is Word.SKIPPED} <= {"needs a broker"}


def test_the_same_seed_gives_the_same_run() -> None:
    first, second = held(cases=["frm.*"]), held(cases=["frm.*"])
    assert [(one.word, one.frames, one.timings) for one in first.outcomes] == [
        (one.word, one.frames, one.timings) for one in second.outcomes
    ]
