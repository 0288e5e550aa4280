"""The steps of counters, consumables, alarms and journal: what each changes, and what it cannot be applied to."""

import pytest

from firmware_sim.errors import NvmError
from firmware_sim.memory.contents import Contents
from firmware_sim.memory.steps import (
    CARTRIDGES_REMEMBERED,
    Acknowledge,
    Append,
    BindCartridge,
    ClearAlarm,
    CountBirth,
    CountLink,
    LatchAlarm,
    Put,
)
from tests.unit.firmware_sim.memories import apply


@pytest.fixture
def contents() -> Contents:
    return Contents(epoch=1)


@pytest.mark.parametrize(("name", "value"), [("flagged", 0b10), ("canister_ul", 12.5), ("stroke_latch", None)])
def test_a_number_is_put(contents: Contents, name: str, value: float | None) -> None:
    apply(contents, Put(name, value))
    assert getattr(contents, name) == value


@pytest.mark.parametrize("name", ["mood", "journal", "register"])
def test_what_is_no_plain_number_is_not_put(contents: Contents, name: str) -> None:
    before = getattr(contents, name, None)
    for refused in (Put(name, 2).check, Put(name, 2).apply):
        with pytest.raises(NvmError, match=f"^the memory has no number '{name}'$"):
            refused(contents)
    assert getattr(contents, name, None) == before


def test_links_are_counted_over_the_numbers_whose_low_16_bits_are_0(contents: Contents) -> None:
    apply(contents, CountLink())
    assert contents.link_count == 1
    contents.link_count = 0xFFFE
    apply(contents, CountLink())
    assert contents.link_count == 0xFFFF
    apply(contents, CountLink())
    assert contents.link_count == 0x1_0001


def test_births_are_counted(contents: Contents) -> None:
    apply(contents, CountBirth(), CountBirth())
    assert contents.birth_no == 2


# --- cartridges -----------------------------------------------------------------------------------------------


def fitted(contents: Contents) -> tuple[int, int, int]:
    return contents.cartridge_serial, contents.cartridge_session, contents.cartridge_cycles


def test_a_cartridge_is_bound_to_the_session_with_the_cycles_that_it_has_made(contents: Contents) -> None:
    apply(contents, BindCartridge(100, 1, cycles=40))
    assert (fitted(contents), contents.cartridges) == ((100, 1, 40), {100: 1})


def test_the_cartridge_that_is_fitted_keeps_its_cycles(contents: Contents) -> None:
    apply(contents, BindCartridge(100, 1))
    contents.cartridge_cycles = 7
    apply(contents, BindCartridge(100, 1))
    assert fitted(contents) == (100, 1, 7)


def test_of_a_serial_the_first_session_is_remembered(contents: Contents) -> None:
    apply(contents, BindCartridge(100, 1), BindCartridge(200, 2), BindCartridge(100, 3))
    assert contents.cartridges == {100: 1, 200: 2}
    assert fitted(contents) == (100, 3, 0)


def test_the_oldest_of_too_many_serials_is_forgotten(contents: Contents) -> None:
    apply(contents, *(BindCartridge(serial, 1) for serial in range(1, CARTRIDGES_REMEMBERED + 1)))
    assert list(contents.cartridges) == list(range(1, CARTRIDGES_REMEMBERED + 1))
    apply(contents, BindCartridge(999, 2))
    assert list(contents.cartridges) == [*range(2, CARTRIDGES_REMEMBERED + 1), 999]


# --- alarms and journal ---------------------------------------------------------------------------------------


def test_a_latched_alarm_is_kept_until_it_is_cleared(contents: Contents) -> None:
    apply(contents, LatchAlarm(1501), LatchAlarm(101), LatchAlarm(101), ClearAlarm(101), ClearAlarm(999))
    assert contents.latched == {1501}


def test_a_record_is_appended_as_its_hex_digits(contents: Contents) -> None:
    apply(contents, Append("ab" * 32))
    assert contents.read(1, 1) == (1, [b"\xab" * 32])


def test_what_are_no_hex_digits_is_not_appended(contents: Contents) -> None:
    for refused in (Append("zz").check, Append("zz").apply):
        with pytest.raises(ValueError, match="non-hexadecimal"):
            refused(contents)
    assert contents.head == 1


def test_an_acknowledgement_moves_the_tail(contents: Contents) -> None:
    apply(contents, Append("00" * 32), Append("00" * 32), Acknowledge(2))
    assert contents.tail == 2
