"""The tests of somebody's controller, here devicectl's own. They do not know what carries the bytes:

pytest --handpiece-url sim:// --handpiece-url sim+pty:// --handpiece-url sim+tcp:// --handpiece-url sim+mqtt://
"""

import os
import subprocess
import sys

import pytest


@pytest.mark.asyncio
async def test_the_count_is_the_devices(handpiece_session, handpiece_truth):
    async for cycle in handpiece_session.run():
        assert 0 <= cycle.cores_counted <= handpiece_session.handpiece.device.needles
    summary = await handpiece_session.close()
    assert summary.reconciled and summary.cores_counted >= 12
    assert (await handpiece_truth()).cores_counted == summary.cores_counted


@pytest.mark.asyncio
@pytest.mark.handpiece_param(clog_hazard=0.1, purge_s=0.5, blocked_empties=100)  # so many clogs look like a block
async def test_clogs_cost_time_not_counts(handpiece_session, handpiece_truth):
    async for _ in handpiece_session.run():
        pass
    summary = await handpiece_session.close()
    assert summary.state == "completed" and summary.reconciled
    assert (await handpiece_truth()).cores_counted == summary.cores_counted


@pytest.mark.asyncio
@pytest.mark.handpiece_scenario("lost_count.yaml")
async def test_no_core_is_counted_twice(handpiece_session, handpiece_truth):
    async for _ in handpiece_session.run():
        pass
    summary = await handpiece_session.close()
    assert summary.reconciled
    assert (await handpiece_truth()).cores_counted == summary.cores_counted


@pytest.mark.asyncio
@pytest.mark.handpiece_param(reposition_mean_s=0.2)
async def test_a_link_that_is_cut_comes_back(handpiece_session, handpiece_faults):
    number = await handpiece_faults.inject("disconnect", when='frame("COUNT", 2)', for_ms=200)
    async for _ in handpiece_session.run():
        pass
    assert (await handpiece_session.close()).reconciled
    assert await handpiece_faults.fired() == [number]


@pytest.mark.asyncio
async def test_who_it_is(handpiece, handpiece_seed):
    assert handpiece.device.simulated and handpiece.device.seed == handpiece_seed


def test_a_host_in_a_process_of_its_own(handpiece_url, tmp_path):
    host = [sys.executable, "-m", "devicectl", "run", "--target-cores", "6", "--log", str(tmp_path / "log.sqlite")]
    assert subprocess.run([*host, "--device", handpiece_url], env=os.environ).returncode == 0
