"""The registry of messages, what a built message holds to, and the small modules beneath it."""

from typing import Any, get_args

import pytest

from protocols.language.enums import Code, Kind, Lane, Role, WireEnum
from protocols.language.errors import MessageError
from protocols.language.fields import MAX_PAYLOAD_SIZE
from protocols.language.layouts import layout
from protocols.language.message import REGISTRY, Command, Message
from protocols.language.messages import Hello, Punch, PunchDone, SessionOpen, Stop

MODELS = [model for model in REGISTRY.values() if model.__module__.startswith("protocols.")]
ONE_ANSWER_ONLY = {"JournalRead": "JournalPage"}
"""Commands whose DONE is not called after them."""


def test_registry_key_is_kind_and_id() -> None:
    assert REGISTRY[Kind.COMMAND, 0x0307] is Punch
    for (kind, message_id), model in REGISTRY.items():
        assert (kind, message_id) == (model.KIND, model.ID)
        assert 0 < message_id <= 0xFFFF


def test_every_command_has_a_done_reply_of_its_id() -> None:
    for model in MODELS:
        if model.KIND is Kind.COMMAND:
            reply = REGISTRY[Kind.REPLY, model.ID]
            assert reply.__name__ == ONE_ANSWER_ONLY.get(model.__name__, f"{model.__name__}Done")
            (declared,) = get_args(model.__dict__["__orig_bases__"][0])
            assert declared == reply.__name__, "mypy believes what the command declares"


def test_only_stop_passes_everything() -> None:
    assert [model for model in MODELS if model.LANE is Lane.STOP] == [Stop]
    assert [model for model in MODELS if model.LANE is Lane.LINK] == [Hello]
    assert all(model.LANE is not None for model in MODELS if model.KIND is Kind.COMMAND)
    assert all(model.LANE is None for model in MODELS if model.KIND not in (Kind.COMMAND, Kind.LINK))


def test_ids_are_unique_within_a_kind() -> None:
    with pytest.raises(TypeError, match="COMMAND 0x0307 is Punch"):

        class Again(Command[PunchDone], id=0x0307, lane=Lane.MOTION):
            """Takes an id twice."""

    assert REGISTRY[Kind.COMMAND, 0x0307] is Punch


def test_a_command_needs_a_lane() -> None:
    with pytest.raises(TypeError, match="Laneless: a command needs a lane"):

        class Laneless(Message, id=0x7F01):
            """A command that cannot be paced."""

    assert (Kind.COMMAND, 0x7F01) not in REGISTRY


def test_a_command_declares_its_answer() -> None:
    with pytest.raises(TypeError, match=r'Mute: a command names its answer: class Mute\(Command\["..."\], ...\)'):

        class Mute(Message, id=0x7F01, lane=Lane.QUERY):
            """A command of which nobody knows what answers it."""

    assert (Kind.COMMAND, 0x7F01) not in REGISTRY
    assert Punch.__mro__[1] is Command, "declaring makes no class between"


def test_every_message_fits_a_frame() -> None:
    assert max(layout(model).size for model in MODELS) <= MAX_PAYLOAD_SIZE


def test_names_end_in_their_unit() -> None:
    """A number's unit is in its name, so that nobody need look it up."""
    suffixes = {
        "ms": "_ms",
        "um": "_um",
        "Pa": "_pa",
        "s": "_s",
        "0.01 %": "_bp",
        "mK": "_mk",
        "uL": "_ul",
        "B": "_size",
    }
    suffixes["cm2"] = "_cm2"
    for model in MODELS:
        for name, field in model.FIELDS.items():
            assert not field.unit or name.endswith(suffixes[field.unit]), f"{model.__name__}.{name} is in {field.unit}"


@pytest.mark.parametrize(
    "values",
    [
        {"cycle_no": -1},
        {"cycle_no": 1 << 32},
        {"depth_um": 1 << 16},
        {"cycle_no": 1.0},
        {"cycle_no": "1"},
        {"cycle_no": None},
        {"more": 1},
    ],
)
def test_unlawful_messages_cannot_be_built(values: dict[str, Any]) -> None:
    with pytest.raises(MessageError):
        Punch(**({"cycle_no": 1, "depth_um": 1, "deadline_ms": 1} | values))


@pytest.mark.parametrize("coverage_bp", [399, 801])
def test_coverage_stays_within_4_to_8_percent(coverage_bp: int) -> None:
    with pytest.raises(MessageError):
        SessionOpen(target_cores=1, coverage_bp=coverage_bp, depth_um=3000, zones_cm2=(1,))


def test_unknown_enumerators() -> None:
    assert Code(200) is Code.UNKNOWN
    assert Role(2) is Role.UNKNOWN
    for value in (-1, 256):
        with pytest.raises(ValueError, match="not a valid"):
            Code(value)
    with pytest.raises(ValueError, match="not a valid"):
        Code("OK")  # type: ignore[arg-type]
    assert all(member.UNKNOWN == 255 for member in WireEnum.__subclasses__())  # type: ignore[attr-defined]
