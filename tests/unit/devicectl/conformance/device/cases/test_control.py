"""Cases of parameters on a device that has none of the kind: they are skipped, and do not pass."""

import pytest

from devicectl.conformance.device.cases.control import CASES
from devicectl.conformance.device.ground import Stage
from devicectl.conformance.device.probe import BrokenRule, UnmetError
from protocols.language.enums import Code, ParamScope
from protocols.language.message import Message
from protocols.language.messages import ParamList, ParamListDone, ParamSet, Refused
from tests.unit.devicectl.conformance.device.benches import Scripted, a_ground, welcomes


def try_case(name: str, scope: ParamScope, code: Code = Code.E_INTERNAL) -> None:
    """Run a case on a device with one parameter, which refuses to have it set by a code."""

    def answers(message: Message, correlation: int) -> list[Message]:
        if isinstance(message, ParamList):
            one = ParamListDone(
                count=1, index=message.index, name="p", unit="", scope=scope, value=1, default=1, minimum=0, maximum=9
            )
            return [one]
        if isinstance(message, ParamSet):
            return [Refused(code=code, interlock=0, expected=0, actual=0, sentence="no")]
        return welcomes(message, correlation)

    ground = a_ground()
    scripted = Scripted(ground, answers)
    scripted.drive(ground.reach(Stage.LINKED))
    (case,) = (one for one in CASES if one.id == name)
    scripted.drive(case.run(ground))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "scope"),
    [("ctl.start-only", ParamScope.HOST_SETTABLE), ("ctl.out-of-range", ParamScope.START_ONLY)],
)
def test_a_device_without_such_a_parameter_skips_the_case(name: str, scope: ParamScope) -> None:
    with pytest.raises(UnmetError, match="a device with a parameter that"):
        try_case(name, scope)


def test_another_code_is_a_difference() -> None:
    try_case("ctl.start-only", ParamScope.START_ONLY, Code.E_AUTH)
    with pytest.raises(BrokenRule, match="REFUSED with E_AUTH"):
        try_case("ctl.start-only", ParamScope.START_ONLY, Code.E_RANGE)
