"""The runner: needs, limits, and outcomes of cases that pass, fail, hang or never begin."""

from collections.abc import Callable, Iterator

import pytest

from devicectl.conformance.case import Case, Need
from devicectl.conformance.device.ground import Ground, Stage
from devicectl.conformance.device.probe import BrokenRule, UnmetError, Until
from devicectl.conformance.device.runner import Runner
from devicectl.conformance.outcome import Outcome, Word
from devicectl.conformance.rules import Duty
from protocols.language.enums import Code, DeviceState
from protocols.language.interlocks import CARTRIDGE
from protocols.language.message import Message
from protocols.language.messages import (
    Arm,
    DeviceInfo,
    FaultClear,
    FaultClearDone,
    FaultReset,
    FaultResetDone,
    Hello,
    Refused,
)
from protocols.language.units import Micros
from tests.unit.devicectl.conformance.device.benches import Scripted, a_ground, a_welcome, welcomes

Body = Callable[[Ground], Iterator[object]]


def a_case(name: str, run: Body, *needs: Need, stage: Stage = Stage.LINKED) -> Case:
    """A case of the runner."""
    return Case(name, name, ("HLP-FRM-1",), Duty.DEVICE, run, frozenset(needs), int(stage))


def right(ground: Ground) -> Iterator[object]:
    """Pass, after a moment."""
    yield Until(Micros(ground.probe.now + 1_000))
    ground.probe.timing("moment", 1_000, 5)


def wrong(ground: Ground) -> Iterator[object]:
    """Fail at once."""
    yield Until(ground.probe.now)
    raise BrokenRule("x", "1", "2")


def endless(ground: Ground) -> Iterator[object]:
    """Wait for ever."""
    while True:
        yield Until(Micros(ground.probe.now + 10**12))


def unmet(ground: Ground) -> Iterator[object]:
    """Find that the device lacks something."""
    yield Until(ground.probe.now)
    raise UnmetError("a device that takes the fault x")


def outcomes(cases: list[Case], *, limit_s: float = 10_000, answers: object = welcomes) -> list[Outcome]:
    """Run cases on a device that links."""
    ground = a_ground()
    runner = Runner(ground, frozenset({Need.BYTES}), lambda outcome, pieces: outcome, run_limit_s=limit_s)
    return Scripted(ground, answers).drive(runner.run(cases))  # type: ignore[arg-type]


def test_each_case_has_its_word_and_its_reason() -> None:
    found = outcomes([a_case("a", right, Need.BYTES), a_case("b", wrong), a_case("c", endless), a_case("d", right)])
    assert [one.word for one in found] == [Word.PASSED, Word.FAILED, Word.FAILED, Word.PASSED]
    assert found[0].timings[0].what == "moment" and found[0].seconds == 0.001
    assert found[1].reason == "x: expected 1, found 2" and found[1].differences[0] == ("x", "1", "2")
    assert found[2].reason == "the case did not end within its limit, 60 s"


def test_a_need_that_is_not_met_is_named() -> None:
    (found,) = outcomes([a_case("a", wrong, Need.POWER, Need.BROKER)])
    assert found.word is Word.SKIPPED
    assert found.reason == f"needs {Need.BROKER}; {Need.POWER}"


def test_a_need_that_turns_up_in_a_case_skips_it() -> None:
    (found,) = outcomes([a_case("a", unmet)])
    assert (found.word, found.reason) == (Word.SKIPPED, "needs a device that takes the fault x")


def test_cases_behind_the_limit_of_the_run_are_skipped() -> None:
    found = outcomes([a_case("a", endless), a_case("b", right)], limit_s=30)
    assert [one.word for one in found] == [Word.FAILED, Word.SKIPPED]
    assert found[1].reason == "the limit of the run, 30 s, was over"


def test_a_stage_that_is_never_reached_is_given_up() -> None:
    """A device that stays in SAFE: three cases say so, the others are left out, those before it are not."""

    def held(message: Message, correlation: int) -> list[Message]:
        if isinstance(message, Hello):
            return [a_welcome(nonce=message.nonce, state=DeviceState.SAFE)]
        return [FaultResetDone(state=DeviceState.SAFE, alarms=1)] if isinstance(message, FaultReset) else []

    cases = [a_case(f"{number}", right, stage=Stage.IDLE) for number in range(5)]
    found = outcomes([*cases, a_case("linked", right)], answers=held)
    assert [one.word for one in found] == [Word.FAILED] * 3 + [Word.SKIPPED] * 2 + [Word.PASSED]
    assert found[0].reason.startswith("could not be brought to IDLE: ")
    assert found[3].reason == "the device could not be brought to IDLE, 3 times in a row"


def test_the_first_link_waits_for_a_boot_and_no_longer() -> None:
    ground = a_ground()
    runner = Runner(ground, frozenset(), lambda outcome, pieces: outcome, run_limit_s=10)
    silent = Scripted(ground, lambda message, correlation: [])
    with pytest.raises(BrokenRule, match="within 3000 ms"):
        silent.drive(runner.first())
    assert 3_000_000 <= ground.probe.now <= 4_000_000


def test_claims_are_what_the_device_says() -> None:
    ground = a_ground()
    runner = Runner(ground, frozenset(), lambda outcome, pieces: outcome, run_limit_s=10)
    scripted = Scripted(ground, welcomes)
    claims = scripted.drive(runner.first())  # it never answers DEVICE_INFO
    assert DeviceInfo() in scripted.heard
    assert (claims.simulated, claims.minor, claims.model) == (True, 1, "")
    assert claims.needs == frozenset()


@pytest.mark.parametrize("simulated", [True, False])
def test_only_a_simulated_device_is_asked_if_it_takes_faults(simulated: bool) -> None:
    def takes(message: Message, correlation: int) -> list[Message]:
        if isinstance(message, Hello):
            return [a_welcome(nonce=message.nonce, simulated=simulated)]
        return [FaultClearDone(cleared=0, unfired=0)] if isinstance(message, FaultClear) else []

    ground = a_ground()
    scripted = Scripted(ground, takes)
    claims = scripted.drive(Runner(ground, frozenset(), lambda outcome, pieces: outcome, run_limit_s=10).first())
    assert (FaultClear(fault_id=0) in scripted.heard) is simulated
    assert (Need.FAULTS in claims.needs) is simulated


@pytest.mark.parametrize(("keeps", "word"), [(True, Word.SKIPPED), (False, Word.FAILED)])
def test_a_refused_cartridge_is_a_lack_where_nobody_changes_it(keeps: bool, word: Word) -> None:
    no = Refused(code=Code.E_INTERLOCK, interlock=CARTRIDGE, expected=0, actual=0, sentence="fit a new one")

    def arms(ground: Ground) -> Iterator[object]:
        yield from ground.do(Arm())

    def answers(message: Message, correlation: int) -> list[Message]:
        return [no] if isinstance(message, Arm) else welcomes(message, correlation)

    ground = a_ground()
    ground.keeps_consumables = keeps
    runner = Runner(ground, frozenset(), lambda outcome, pieces: outcome, run_limit_s=10_000)
    (found,) = Scripted(ground, answers).drive(runner.run([a_case("a", arms)]))
    assert found.word is word and "fit a new one" in found.reason
    assert ("needs a fresh cartridge or canister" in found.reason) == keeps


@pytest.mark.parametrize(("holder", "said"), [(1 << 20, True), (0, False), (None, False)])
def test_a_host_that_has_control_is_named(holder: int | None, said: bool) -> None:
    """None for one of the kit's own hosts, 0 for a refusal that names nobody."""
    ground = a_ground()
    actual = ground.host_id + 1 if holder is None else holder
    no = Refused(code=Code.E_BUSY, interlock=0, expected=0, actual=actual, sentence="busy")

    def arms(ground: Ground) -> Iterator[object]:
        yield from ground.do(Arm())

    def answers(message: Message, correlation: int) -> list[Message]:
        return [no] if isinstance(message, Arm) else welcomes(message, correlation)

    runner = Runner(ground, frozenset(), lambda outcome, pieces: outcome, run_limit_s=10_000)
    (found,) = Scripted(ground, answers).drive(runner.run([a_case("a", arms)]))
    assert found.word is Word.FAILED
    assert ("; host 0x100000 has control of the device: end that program first" in found.reason) == said
