import sys
from collections.abc import Sequence

import pytest

from devicectl.campaign.judges.links import Links
from devicectl.campaign.judges.reading import Reading
from devicectl.campaign.recording import Recorded
from protocols.language import messages as M
from protocols.language.enums import AlarmState, ByeReason, CloseReason, Code, DeviceState
from protocols.language.message import Message
from tests.unit.devicectl.campaign.judges.spoiled import MS, armed, arming, event, said, welcome

COUNTS = dict.fromkeys(("cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted"), 0)
STOPPED = M.StopDone(state=DeviceState.SAFE)
REFUSED = M.Refused(code=Code.E_STATE, interlock=0, expected=0, actual=0, sentence="")
NAK = M.Nak(code=Code.E_LINK, seq=1, expected=0, actual=0, sentence="")
RECEIVED = M.Received(expected_ms=1)


def links(*packets: Recorded) -> Links:
    """The links in these packets."""
    return Links(Reading(sorted(packets, key=lambda one: one.at_us)))


def asked(message: Message, answer: Message, link: int = 1, at_ms: int = 100) -> Sequence[Recorded]:
    """A command that the device hears, and its answer."""
    command = said(">device", message, at_us=at_ms * MS, link=link, correlation=9)
    return command, said("device>", answer, at_us=at_ms * MS, link=link, correlation=9)


@pytest.mark.parametrize(
    ("command", "answer", "holder"),
    [
        (M.FaultReset(), RECEIVED, 1),
        (M.FaultReset(), REFUSED, 0),
        (M.FaultReset(), NAK, 0),
        (M.Stop(), STOPPED, 0),
        (M.AlarmAck(code=1), M.AlarmAckDone(code=1, state=AlarmState.ACKNOWLEDGED), 0),
    ],
)
def test_a_command_that_is_not_refused_takes_control_where_nobody_has_it(
    command: Message, answer: Message, holder: int
) -> None:
    assert links(welcome(), *asked(command, answer)).holder_at(9) == holder


def test_control_ends_with_the_session_and_with_power() -> None:
    assert links(welcome(), *arming(), event("boot", 1_001 * MS)).holder_at(9) == 0
    close = M.SessionClose(session_no=1, reason=CloseReason.COMPLETED, **COUNTS)
    closed = M.SessionCloseDone(session_no=1, **COUNTS)
    assert links(welcome(), *arming(), *asked(close, closed, at_ms=1_001)).holder_at(9) == 0


def test_a_link_that_is_not_granted_takes_no_control_and_says_no_stop() -> None:
    strange = links(welcome(), *asked(M.Arm(), RECEIVED, link=2), *asked(M.Stop(), STOPPED, link=2))
    assert (strange.holder_at(9), strange.stops) == (0, [])


def test_a_link_is_lost_by_the_short_lease_of_an_armed_device_and_by_the_long_one_of_another() -> None:
    def lost(*packets: Recorded) -> list[tuple[int, int]]:
        return [(loss.at_us // MS, loss.place) for loss in links(*packets, event("end", 60_000 * MS)).losses]

    assert lost(welcome()) == [(15_000, sys.maxsize)]
    assert lost(welcome(), *arming(), *armed(1_000, 1_600)) == [(1_600, sys.maxsize)]
    # It was disarmed in time.
    assert lost(welcome(), *arming(), *armed(1_000, 1_599)) == [(16_000, sys.maxsize)]


@pytest.mark.parametrize(
    ("end", "cause"),
    [
        (said(">device", M.Bye(reason=ByeReason.CLOSING), at_us=9 * MS), "the host has left the link"),
        (said(">device", NAK, at_us=9 * MS), "the host has left the link"),
        (event("detached", 9 * MS), "the transport has gone"),
        (welcome(2, 9), "its host has linked again"),
    ],
)
def test_a_link_ends_before_its_lease_does(end: Recorded, cause: str) -> None:
    assert [(loss.at_us, loss.cause) for loss in links(welcome(), end).losses] == [(9 * MS, cause)]
