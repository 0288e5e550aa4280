"""A close of a session that had ended already was a traceback: of one that the device closed while no host was there.

It changes nothing now, as a pause or a confirmation after the end. Found by a campaign whose user closes a session as
soon as it is resumed.
"""

import asyncio

import devicectl
from devicectl.session.plan import make_plan
from devicectl.summary import Summary


async def closed_again() -> list[Summary]:
    plan = make_plan({"target_cores": 3, "zones": [{"name": "left", "area_cm2": 1}]})
    url = "sim://?seed=7&anesthesia_wait_s=1"
    async with devicectl.connect(url) as handpiece, handpiece.open_session(plan) as session:
        await session.confirm_anesthesia()
        async for _ in session.run():
            pass
        return [await session.close(), await session.close(), await session.abort()]


def test_a_second_close_or_an_abort_after_it_changes_nothing() -> None:
    first, *others = asyncio.run(closed_again())
    assert {one.state for one in (first, *others)} == {"completed"}
    assert all(one.cores_counted == first.cores_counted and one.reconciled for one in others)
