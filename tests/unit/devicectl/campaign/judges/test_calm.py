import pytest

from devicectl.campaign.recording import Recorded
from protocols.language import messages as M
from protocols.language.enums import AlarmPriority, AlarmState, Code
from protocols.link.header import RETRANSMIT
from tests.unit.devicectl.campaign.judges.spoiled import clean, event, said, sentences

REFUSED = M.Refused(code=Code.E_STATE, interlock=0, expected=0, actual=0, sentence="")
ALARM = M.Alarm(code=1501, interlock=15, priority=AlarmPriority.HIGH, state=AlarmState.ACTIVE, uptime_ms=0, sentence="")


@pytest.mark.parametrize(
    ("packet", "breach"),
    [
        (said("device>", M.Nak(code=Code.E_LINK, seq=1, expected=0, actual=0, sentence="")), "Nak E_LINK"),
        (
            said("device>", REFUSED),
            "REFUSED E_STATE",
        ),
        (said("device>", ALARM), "alarm 1501"),
        (said("host>", M.Arm(), correlation=7, flags=RETRANSMIT), "Arm was sent again"),
    ],
)
def test_what_only_a_fault_brings_is_seen_where_none_has_fired(packet: Recorded, breach: str) -> None:
    packets, _ = clean()
    assert sentences("calm", [*packets, packet]) == [f"{breach}, and no fault has fired"]
    fired = event("fired", fault=0, kind="drop")
    assert sentences("calm", [*packets, fired, packet]) == []
    assert sentences("calm", [*packets, packet, fired]) != [], "it came before the fault"
    assert sentences("calm", [event("unusual"), *packets, packet]) == []
