"""Journal records: 32 bytes each, one kind a class, outcomes in nibbles."""

import pytest

from protocols.language.enums import Ending, NeedleOutcome, Phase, RecordKind
from protocols.language.errors import MessageError
from protocols.language.fields import MAX_PAYLOAD_SIZE
from protocols.language.layouts import layout
from protocols.language.messages import JournalPage
from protocols.language.records import (
    RECORD_SIZE,
    RECORDS,
    Boot,
    Cycle,
    Gap,
    decode_record,
    encode_record,
    pack_outcomes,
    unpack_outcomes,
)

CYCLE = Cycle(
    event_no=9,
    uptime_ms=1000,
    ending=Ending.ABORTED,
    phase=Phase.SUCTION,
    needles=3,
    cycle_no=4,
    outcomes=0x321,
    cell=5,
    depth_um=3000,
    total_punctures=12,
    total_cores_counted=10,
)


def test_bytes_of_a_cycle() -> None:
    raw = encode_record(CYCLE)
    assert raw == bytes.fromhex("09000000 e8030000 01 02 02 03 04000000 21030000 0500 b80b 0c000000 0a000000")
    assert decode_record(raw) == CYCLE


def test_short_records_are_padded_with_zeros() -> None:
    raw = encode_record(Gap(event_no=1, uptime_ms=2, missing=3))
    assert raw == bytes.fromhex("01000000 02000000 00 03000000") + bytes(19)


def test_every_kind_has_a_class_and_fits() -> None:
    assert set(RECORDS) == set(RecordKind) - {RecordKind.UNKNOWN}
    for kind, model in RECORDS.items():
        assert model.KIND is kind
        assert layout(model).size + 1 <= RECORD_SIZE, model.__name__


def test_six_records_make_a_page() -> None:
    assert layout(JournalPage).size + 6 * RECORD_SIZE <= MAX_PAYLOAD_SIZE < layout(JournalPage).size + 7 * RECORD_SIZE


@pytest.mark.parametrize("size", [0, 8, 31, 33, 64])
def test_other_sizes_are_refused(size: int) -> None:
    with pytest.raises(MessageError, match=rf"^Record: {size} B, needs 32 B$"):
        decode_record(bytes(size))


@pytest.mark.parametrize("kind", [10, 254, 255])
def test_unknown_kind_is_none(kind: int) -> None:
    raw = encode_record(Boot(event_no=1, uptime_ms=0, boot_count=2, open_cycle_no=0, phase=Phase.NONE))
    assert decode_record(raw[:8] + bytes((kind,)) + raw[9:]) is None


def test_outcomes_take_four_bits_a_needle() -> None:
    outcomes = [NeedleOutcome.COUNTED, NeedleOutcome.EMPTY, NeedleOutcome.AMBIGUOUS]
    assert pack_outcomes(outcomes) == 0x421
    assert unpack_outcomes(0x421, 3) == outcomes
    assert unpack_outcomes(0x421, 4) == [*outcomes, NeedleOutcome.NOT_PUNCTURED]
    assert pack_outcomes([]) == 0
    eight = [NeedleOutcome.AMBIGUOUS] * 8
    assert pack_outcomes(eight) == 0x4444_4444
    assert unpack_outcomes(0x4444_4444, 8) == eight


def test_an_outcome_that_is_none_is_refused() -> None:
    for nibble in range(5, 16):
        with pytest.raises(ValueError, match=f"{nibble} is not a valid NeedleOutcome"):
            unpack_outcomes(nibble << 4 | 1, 2)
