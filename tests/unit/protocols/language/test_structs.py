"""Structs: what their classes make of annotations, and values that are equal, shown and never changed."""

import copy
import pickle
from typing import Annotated, ClassVar

import pytest

from protocols.language.enums import Code
from protocols.language.errors import MessageError
from protocols.language.fields import S16, U8, U16, EnumByte, Since, Unit
from protocols.language.messages import Arm, Disarm, Punch
from protocols.language.structs import Struct


class Base(Struct):
    """Two fields, named as two methods of a tuple are."""

    LIMIT: ClassVar[int] = 7

    index: U16
    count: Annotated[U8, Unit("B")]


class Longer(Base):
    """Two more after those of its base."""

    code: Annotated[Code, EnumByte]
    text: Annotated[S16, Since(2)]


class Twin(Base):
    """The same fields as its base."""


LONGER = Longer(text="x", index=1, code=Code.E_LINK, count=2)


def test_fields_are_the_annotations_in_order_those_of_the_base_first() -> None:
    assert list(Longer.FIELDS) == ["index", "count", "code", "text"]
    assert list(Base.FIELDS) == ["index", "count"]
    assert (LONGER.index, LONGER.count, LONGER.code, LONGER.text) == (1, 2, Code.E_LINK, "x")
    assert LONGER.as_dict() == {"index": 1, "count": 2, "code": Code.E_LINK, "text": "x"}
    assert list(LONGER) == [1, 2, Code.E_LINK, "x"]


def test_structs_are_shown_with_the_names_of_their_fields() -> None:
    assert repr(LONGER) == "Longer(index=1, count=2, code=<Code.E_LINK: 4>, text='x')"
    assert repr(Arm()) == "Arm()"


def test_structs_are_equal_if_class_and_values_are() -> None:
    one = Base(index=1, count=2)
    assert one == Base(index=1, count=2) and hash(one) == hash(Base(index=1, count=2))
    assert one != Base(index=1, count=3)
    assert one != Twin(index=1, count=2)
    assert one != (1, 2) and one != (1, 2)
    assert Arm() == Arm() and Arm() != Disarm()


def test_a_struct_without_fields_is_true() -> None:
    assert Arm()


@pytest.mark.parametrize("name", ["index", "LIMIT", "other"])
def test_no_attribute_can_be_set(name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(LONGER, name, 3)
    assert LONGER.index == 1 and LONGER.LIMIT == 7


def test_copies_and_pickles_are_equal() -> None:
    punch = Punch(cycle_no=1, depth_um=2, deadline_ms=3)
    assert copy.copy(punch) == copy.deepcopy(punch) == pickle.loads(pickle.dumps(punch)) == punch


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"index": 1}, r"^Base\.count: is missing$"),
        ({"index": 1, "count": 2, "more": 3}, r"^Base\.more: there is no such field$"),
        ({"index": 1, "count": 256}, r"^Base\.count: 256 is outside 0\.\.255$"),
    ],
)
def test_a_wrong_value_is_refused_with_the_field_s_name(values: dict[str, int], error: str) -> None:
    with pytest.raises(MessageError, match=error) as caught:
        Base(**values)
    assert caught.value.message == "Base" and caught.value.field in ("count", "more")


def test_unchecked_values_may_come_in_any_order_and_none_may_lack() -> None:
    assert Base.unchecked(count=2, index=1) == Base(index=1, count=2)
    with pytest.raises(KeyError, match="count"):
        Base.unchecked(index=1)


def test_an_annotation_that_is_no_field_makes_no_class() -> None:
    with pytest.raises(TypeError, match="is not a field"):

        class Wrong(Struct):
            """A number of which nobody knows the bytes."""

            number: int


def test_a_name_that_the_constructor_uses_itself_is_no_field_either() -> None:
    with pytest.raises(MessageError, match="cls: there is no such field"):
        Arm(**{"cls": 1})
