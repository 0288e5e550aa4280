"""Silent hosts: all are watched in one wait where the way carries as many links, and one by one where it does not."""

import pytest

from devicectl.conformance.case import Need
from devicectl.conformance.device.cases.silences import CASES, SILENCES
from devicectl.conformance.device.ground import Ground
from devicectl.conformance.device.runner import Runner
from devicectl.conformance.device.virtual import run_steps
from devicectl.conformance.device.wires import BytesWire
from devicectl.conformance.outcome import Outcome, Word
from devicectl.simulation.bench import VirtualBench
from firmware_sim.device import Device

BESIDE = frozenset({Need.BYTES, Need.SECOND, Need.MANY})
ALONE = frozenset({Need.BYTES})
LEASE_S = 1.0


def watched(met: frozenset[Need], device: Device | None = None) -> list[Outcome]:
    """Run all cases of silent hosts on a simulated device."""
    ground = Ground(lambda channel: BytesWire(), seed=1, slack_ms=1, boot_ms=1_000)
    ground.met = met
    runner = Runner(ground, met, lambda outcome, pieces: outcome, run_limit_s=1_000)
    bench = VirtualBench(device or Device(seed=1), ground.probe)
    return run_steps(bench, runner.run(CASES))


@pytest.mark.parametrize("met", [BESIDE, ALONE], ids=["side by side", "one by one"])
def test_a_right_device_passes_either_way(met: frozenset[Need]) -> None:
    found = watched(met)
    assert [(one.case.id, one.reason) for one in found if one.word is not Word.PASSED] == []
    assert len(found) == len(SILENCES)


def test_side_by_side_one_wait_is_enough() -> None:
    beside = sum(one.seconds for one in watched(BESIDE))
    alone = sum(one.seconds for one in watched(ALONE))
    assert beside < 3 * LEASE_S and alone > len(SILENCES) * LEASE_S


def test_each_case_shows_the_frames_of_its_own_host() -> None:
    shown = {one.case.id: {frame.link for frame in one.frames} for one in watched(BESIDE)}
    own = [links - {0} for links in shown.values()]
    assert all(len(links) == 1 for links in own) and len(set.union(*own)) == len(SILENCES)


def test_what_was_set_is_given_back() -> None:
    device = Device(seed=1)
    before = (device.parameters.heartbeat_idle_ms, device.parameters.lease_idle_ms)
    watched(BESIDE, device)
    assert (device.parameters.heartbeat_idle_ms, device.parameters.lease_idle_ms) == before


def test_only_the_host_whose_lease_does_not_end_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """One host speaks again before its lease is over, and finds its link alive: the others are not to blame."""
    monkeypatch.setitem(SILENCES, "expires", SILENCES["expires"]._replace(until=1.1, over=False))
    failed = {one.case.id for one in watched(BESIDE) if one.word is Word.FAILED}
    assert failed == {"lse.expires"}
