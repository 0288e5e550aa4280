"""Cases of motions on a device that has none of the kind: they are skipped, and do not pass."""

import pytest

from devicectl.conformance.device.cases.commands import CASES
from devicectl.conformance.device.ground import Stage
from devicectl.conformance.device.probe import UnmetError
from protocols.language.enums import Code
from protocols.language.message import Message
from protocols.language.messages import Purge, Refused, Reposition, RepositionDone
from tests.unit.devicectl.conformance.device.benches import Scripted, a_ground, welcomes


@pytest.mark.parametrize(
    ("name", "lacks"), [("cmd.stop-purge", "a device that has Purge"), ("cmd.progress", "more than a second")]
)
def test_a_device_with_a_quick_hand_and_no_purge_skips_the_case(name: str, lacks: str) -> None:
    def answers(message: Message, correlation: int) -> list[Message]:
        if isinstance(message, Reposition):
            return [RepositionDone(zone=0, cell=1, cell_punctures=0, cycles_left=1)]
        if isinstance(message, Purge):
            return [Refused(code=Code.E_UNSUPPORTED, interlock=0, expected=0, actual=0, sentence="no purge")]
        return welcomes(message, correlation)

    ground = a_ground()
    scripted = Scripted(ground, answers)
    scripted.drive(ground.reach(Stage.LINKED))
    (case,) = (one for one in CASES if one.id == name)
    with pytest.raises(UnmetError, match=lacks):
        scripted.drive(case.run(ground))  # type: ignore[arg-type]
