"""Slow serial lines without loss: nothing is sent twice, since the retry timer knows what the line takes."""

import pytest

from devicectl.session.engine import Engine
from devicectl.simulation.world import SerialLine, World
from devicectl.transports.urls import MIN_BAUD
from protocols.language import messages as M
from protocols.language.enums import CloseReason, DeviceState
from protocols.language.units import SECOND
from protocols.serial.framing import MAX_ENCODED_SIZE
from protocols.serial.line import BITS_PER_BYTE
from tests.world import SHORT, Lab, a_plan

LONGEST_FRAME = MAX_ENCODED_SIZE + 2
LEASE_ARMED_MS = 600
"""By default."""
SLOWER = {"heartbeat_armed_ms": 600.0, "lease_armed_ms": 1_800.0}
NO_LEASE = {"heartbeat_armed_ms": 1_000.0, "lease_armed_ms": 0.0}
"""Not the longest lease that a device can be given is long enough at 1,200 baud."""


def nothing_was_sent_twice(lab: Lab) -> None:
    host, device = lab.engine.link.exchange.statistics, lab.world.port.exchange.statistics
    assert (host.retries, device.replays) == (0, 0)
    assert not [note for note in lab.notes if note.name == "recover"]


@pytest.mark.parametrize(
    ("baud", "slower"),
    [(1_200, NO_LEASE), (2_400, SLOWER), (4_800, {}), (9_600, {}), (19_200, {}), (115_200, {})],
    ids=lambda value: str(value) if isinstance(value, int) else "",
)
@pytest.mark.parametrize("seed", [7, 8])
def test_a_session_has_no_retransmission(baud: int, slower: dict[str, float], seed: int) -> None:
    lab = Lab(seed, baud=baud, parameters={**SHORT, **slower}, plan=a_plan(120)).begin(0)
    assert lab.finish().reconciled
    nothing_was_sent_twice(lab)


def test_a_session_that_is_not_armed_has_none_at_1200_baud() -> None:
    """Four queries at once, their answers one behind the other, and whatever else a link at rest carries."""
    lab = Lab(baud=1_200).begin(0)
    assert lab.state is DeviceState.ANESTHESIA_CONFIRMED
    exchange = lab.engine.link.exchange
    for _ in range(4):
        exchange.submit(M.Echo(data=bytes(range(1, 200))), lab.now)
    lab.world.refresh()
    lab.wait(60 * SECOND)
    assert lab.close(CloseReason.ABORTED).reconciled
    nothing_was_sent_twice(lab)


@pytest.mark.parametrize("baud", [1_200, 2_400])
def test_a_line_below_the_least_cannot_hold_an_armed_link(baud: int) -> None:
    """The longest frame alone takes longer than the lease of an armed device: nothing else can be heard meanwhile."""
    assert BITS_PER_BYTE * LONGEST_FRAME * 1_000 / baud > LEASE_ARMED_MS
    assert BITS_PER_BYTE * LONGEST_FRAME * 1_000 / MIN_BAUD < LEASE_ARMED_MS


def test_a_line_of_unknown_speed_is_learned_after_the_first_retry() -> None:
    """As behind a converter that speaks TCP: the retry is answered too, and that proves it to have been in vain."""
    lab = Lab()
    engine = Engine(host_id=1, draw_nonce=lambda: 2)
    world = World(engine, lab.device, write=lambda entries: None, line=SerialLine(2_400))
    task = engine.link.start(engine.connect(), world.now)
    world.refresh()
    while not task.done:
        assert world.step()
    exchange = engine.link.exchange
    asked = exchange.statistics.retries
    assert asked > 0, "HELLO and DEVICE_INFO are asked before anything is known"
    for _ in range(20):
        request = exchange.submit(M.Echo(data=bytes(range(1, 60))), world.now)
        world.refresh()
        while exchange._requests.find(request.correlation_id) is not None:
            assert world.step()
    assert exchange.statistics.retries == asked
