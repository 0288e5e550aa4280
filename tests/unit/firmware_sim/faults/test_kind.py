"""A kind of fault and its quantities: what people read of them, and what is found in a row."""

from firmware_sim.faults.kind import MAX_FOR_MS, Kind, Quantity, Target

FOR = Quantity("for_ms", "ms", 1, MAX_FOR_MS, 500, "how long it lasts")
WAY = Quantity("direction", "", 0, 0, "both", "whose pieces it meets", ("both", "host", "device"))


def test_a_range_is_said_for_people() -> None:
    assert FOR.range == "1 to 86400000"
    assert Quantity("p", "", 0, 0.5, 0, "chance").range == "0 to 0.5"
    assert WAY.range == "both | host | device"


def test_a_kind_lasts_if_it_has_a_duration() -> None:
    assert Kind("mute", Target.WIRE, "nothing is heard", (WAY, FOR)).lasts
    assert not Kind("reboot", Target.DEVICE, "power is lost").lasts


def test_a_quantity_is_found_by_its_name() -> None:
    kind = Kind("mute", Target.WIRE, "nothing is heard", (WAY, FOR))
    assert kind.quantity("for_ms") is FOR
    assert kind.quantity("by_ms") is None
