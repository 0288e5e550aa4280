"""A recorded device again: every packet the same, or the first that is not; whatever was done to the recording."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.device import Device
from firmware_sim.faults.fault import fault_of
from firmware_sim.faults.injector import End, Firing
from firmware_sim.faults.served import fit, let_in, note_of
from firmware_sim.memory.image import snapshot
from firmware_sim.memory.nvm import Nvm
from firmware_sim.model.parameters import Parameters
from firmware_sim.replay import Difference, replay_device
from protocols.capture.contents import encode_data, encode_event
from protocols.capture.packet import FROM_DEVICE, NO_DIRECTION, TO_DEVICE, Capture, CaptureError, Packet
from protocols.language.enums import ByeReason
from protocols.language.messages import Echo
from protocols.language.units import Micros
from protocols.link.port import AnyWire
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import DeviceWire, HostWire, Publication
from protocols.serial.payload import encode_message
from protocols.serial.wire import SerialWire

START = 5_000_000
TOPICS = DeviceTopics("bench", "sim-7")
ATTACH = {
    "tcp": {"port": "tcp"},
    "mqtt:a": {"port": "mqtt:a", "root": TOPICS.root, "site": "bench", "device": "sim-7", "client": "a"},
}
WIRES: dict[str, Callable[[], AnyWire]] = {"tcp": SerialWire, "mqtt:a": lambda: DeviceWire(TOPICS, "a")}
HOST = HostWire(TOPICS, "a")
ASKED: dict[str, list[Any]] = {
    "tcp": [encode_message(Echo(data=b"x" * size), size) for size in (1, 2)],
    "mqtt:a": [HOST.encode(Echo(data=b"x" * size), size, 0, size, 0) for size in (1, 2)],
}


def recorded(name: str = "tcp", memory: Nvm | None = None, *, verdict: Any = "ended") -> Capture:
    """A device that two commands without a link came to: it answers each with a NAK, and then is closed."""
    image = None if memory is None else snapshot(memory)
    boot = {
        "seed": 7,
        "now_us": START,
        "parameters": {"anesthesia_wait_s": 1.0},
        "memory": image,
        "behind_broker": False,
    }
    packets = [
        Packet(0, 0, NO_DIRECTION, encode_event("boot", boot)),
        Packet(9, 0, NO_DIRECTION, encode_event("attach", ATTACH[name])),
    ]
    parameters = Parameters({"anesthesia_wait_s": 1.0})
    device = Device(seed=7, now=Micros(START), parameters=parameters, nvm=memory)
    port = device.attach(name, WIRES[name])
    for at_us, asked in zip((100, 700_000), ASKED[name], strict=True):
        packets.append(Packet(at_us, 0, NO_DIRECTION, encode_event("advance", {})))
        packets.append(Packet(at_us, 1, TO_DEVICE, encode_data(asked)))
        device.advance(Micros(START + at_us))
        device.receive(port, asked, Micros(START + at_us))
        packets += [Packet(at_us + 1, 1, FROM_DEVICE, encode_data(said)) for said in port.exchange.take()]
    port.exchange.bye(ByeReason.CLOSING, Micros(START + 800_000))
    packets.append(Packet(800_000, 0, NO_DIRECTION, encode_event("close", {})))
    packets.append(Packet(800_000, 0, NO_DIRECTION, encode_event("detach", {"port": name})))
    return Capture({"recording": 1, "verdict": verdict}, ["events", name], packets)


def changed(capture: Capture, at: int, **values: Any) -> Capture:
    """The recording with one packet of other values."""
    packets = list(capture.packets)
    packets[at] = packets[at]._replace(**values)
    return Capture(capture.comment, capture.interfaces, packets)


def without(capture: Capture, at: int) -> Capture:
    """The recording without one packet."""
    packets = list(capture.packets)
    del packets[at]
    return Capture(capture.comment, capture.interfaces, packets)


def answers(capture: Capture) -> list[int]:
    """Places of what the device said."""
    return [at for at, packet in enumerate(capture.packets) if packet.direction == FROM_DEVICE]


@pytest.mark.parametrize("name", WIRES)
def test_the_same_calls_give_the_same_packets(name: str) -> None:
    capture = recorded(name)
    assert len(answers(capture)) == 2
    assert replay_device(capture) is None


def test_a_device_with_a_memory_begins_with_what_was_in_it() -> None:
    memory = Nvm(epoch=77)
    Device(seed=7, nvm=memory)
    assert replay_device(recorded(memory=memory)) is None


def test_the_first_packet_that_differs_is_shown_beside_what_the_device_says() -> None:
    capture = recorded()
    at = answers(capture)[1]
    packet = list(capture.packets)[at]
    spoiled = bytes([packet.data[0] ^ 1]) + packet.data[1:]
    assert replay_device(changed(capture, at, data=spoiled)) == Difference(700_001, "tcp", spoiled, packet.data)


def test_a_publication_that_differs_is_shown() -> None:
    capture = recorded("mqtt:a")
    other = Publication("handpiece/v1/bench/sim-7/reply/a", b"{}")
    found = replay_device(changed(capture, answers(capture)[0], data=encode_data(other)))
    assert found is not None
    assert found.recorded == other
    assert isinstance(found.repeated, Publication) and b"E_LINK" in found.repeated.body


@pytest.mark.parametrize("which", [0, 1])
def test_a_packet_that_the_recording_lacks_is_a_difference(which: int) -> None:
    capture = recorded()
    at = answers(capture)[which]
    difference = replay_device(without(capture, at))
    lacking = list(capture.packets)[at].data
    assert difference is not None and (difference.port, difference.repeated) == ("tcp", lacking)
    assert difference.recorded is None or which == 0


def test_a_packet_that_the_device_does_not_send_is_a_difference() -> None:
    capture = recorded()
    packets = list(capture.packets)
    more = Packet(700_001, 1, FROM_DEVICE, b"more")
    packets.insert(answers(capture)[1] + 1, more)
    found = replay_device(Capture(capture.comment, capture.interfaces, packets))
    assert found == Difference(700_001, "tcp", b"more", None)


@pytest.mark.parametrize(("verdict", "same"), [(None, True), ({"ended": "by a signal"}, False)])
def test_a_recording_that_was_killed_may_lack_the_last_answer(verdict: Any, same: bool) -> None:
    capture = recorded(verdict=verdict)
    packets = list(capture.packets)[: answers(capture)[1]]
    assert (replay_device(Capture(capture.comment, capture.interfaces, packets)) is None) is same


def test_what_came_to_no_port_and_what_is_no_call_is_passed_over() -> None:
    capture = recorded()
    packets = list(capture.packets)
    packets.insert(2, Packet(50, 2, TO_DEVICE, b"{}"))
    packets.insert(2, Packet(50, 0, NO_DIRECTION, encode_event("told", {"fault": 1})))
    assert replay_device(Capture(capture.comment, ["events", "tcp", "mqtt:ignored"], packets)) is None


# --- faults ------------------------------------------------------------------------------------------------------

DOUBLED = {"fault": "duplicate", "when": 'piece("host", 1)', "direction": "host"}
SCENARIO = {"cartridge_cycles": 9_000, "canister_ml": 0, "faults": [DOUBLED]}


def faulty() -> Capture:
    """Such a device, whose first command is doubled on its line: it hears it twice, and answers each."""
    capture = recorded()
    packets = list(capture.packets)[:1]
    device = Device(seed=7, now=Micros(START), parameters=Parameters({"anesthesia_wait_s": 1.0}))

    def tell(event: str, at_us: int, values: Mapping[str, object]) -> None:
        packets.append(Packet(at_us, 0, NO_DIRECTION, encode_event(event, values)))

    def noted(event: str, firing: Firing, now: Micros) -> None:
        tell(event, now - START, note_of(firing))

    tell("scenario", 5, SCENARIO)
    fit(device, 9_000, 0)
    _, wire = let_in(
        device, Micros(START + 5), [fault_of(DOUBLED)], cut=cut, noted=noted, behind_broker=False, in_file=False
    )
    tell("attach", 9, ATTACH["tcp"])
    port = device.attach("tcp")
    for at_us, asked in zip((100, 700_000), ASKED["tcp"], strict=True):
        tell("advance", at_us, {})
        device.advance(Micros(START + at_us))
        packets.append(Packet(at_us, 2, TO_DEVICE, asked))
        for late, (_, piece) in enumerate(wire.arrivals("host", asked, Micros(START + at_us), "tcp")):
            now = Micros(START + at_us + late)
            packets.append(Packet(now - START, 1, TO_DEVICE, encode_data(piece)))
            device.receive(port, piece, now)
            for said in port.exchange.take():
                packets.append(Packet(now - START, 1, FROM_DEVICE, said))
                for _, heard in wire.arrivals("device", said, now, "tcp"):
                    packets.append(Packet(now - START, 2, FROM_DEVICE, encode_data(heard)))
    tell("detach", 800_000, {"port": "tcp"})
    return Capture(capture.comment, ["events", "tcp", "host:tcp"], packets)


def cut(*, host_knows: bool, device_knows: bool) -> End:
    raise AssertionError


def test_faults_are_injected_again_and_held() -> None:
    assert replay_device(faulty()) is None


def place(capture: Capture, what: bytes, interface: int) -> int:
    """Place of the first packet with such bytes on an interface."""
    found = enumerate(capture.packets)
    return next(at for at, one in found if one.interface == interface and what in one.data)


def test_a_fault_that_was_recorded_and_does_not_fire_is_a_difference() -> None:
    capture = faulty()
    later = encode_event("scenario", {**SCENARIO, "faults": [{**DOUBLED, "when": 'piece("host", 2)'}]})
    found = replay_device(changed(capture, 1, data=later))
    fired = list(capture.packets)[place(capture, b"fired", 0)].data
    assert found == Difference(100, "events", fired, None)


def test_a_fault_that_fires_and_was_not_recorded_is_a_difference() -> None:
    capture = faulty()
    found = replay_device(without(capture, place(capture, b"ended", 0)))
    assert found is not None and (found.port, found.recorded) == ("events", None)


def test_what_no_line_makes_of_a_piece_is_a_difference() -> None:
    capture = faulty()
    at = [number for number, one in enumerate(capture.packets) if one[1:3] == (1, TO_DEVICE)][1]
    found = replay_device(changed(capture, at, data=b"other"))
    assert found == Difference(101, "tcp", b"other", None, "host")
    at = next(number for number, one in enumerate(capture.packets) if one[1:3] == (2, FROM_DEVICE))
    assert replay_device(changed(capture, at, data=b"other")) == Difference(100, "host:tcp", b"other", None)


def test_a_line_without_faults_is_one_error() -> None:
    capture = faulty()
    with pytest.raises(CaptureError, match="a packet of a line with faults; expected faults before it"):
        replay_device(without(capture, 1))


WRONG: dict[str, tuple[Callable[[Capture], Capture], str]] = {
    "of a host": (lambda one: without(one, 0), "what cannot be repeated (KeyError('memory'))"),
    "empty": (lambda one: Capture(one.comment, one.interfaces, []), "packet 1: no event; expected the boot"),
    "no event first": (lambda one: changed(one, 0, interface=1), "packet 1: no event; expected the boot"),
    "earlier": (lambda one: changed(one, -1, at_us=3), "packet at 0.000003 s: a call; expected none before 0.800000 s"),
    "nobody's port": (
        lambda one: changed(one, -1, data=encode_event("detach", {"port": "pty"})),
        "packet at 0.800000 s: what cannot be repeated (KeyError('pty'))",
    ),
    "no json": (
        lambda one: changed(one, 2, data=b"advance"),
        "packet at 0.000100 s: b'advance'; expected a JSON object",
    ),
    "parameter": (
        lambda one: changed(
            one, 0, data=encode_event("boot", {"memory": None, "now_us": 0, "seed": 7, "parameters": {"a": 1}})
        ),
        "packet at 0.000000 s: what cannot be repeated",
    ),
    "memory": (
        lambda one: changed(one, 0, data=encode_event("boot", {"memory": {"epoch": 1}, "now_us": 0, "seed": 7})),
        "packet at 0.000000 s: what cannot be repeated",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_spoiled_recording_is_one_error_with_the_packets_time(name: str) -> None:
    spoil, said = WRONG[name]
    with pytest.raises(CaptureError) as caught:
        replay_device(spoil(recorded()))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


events = st.sampled_from(["attach", "detach", "advance", "set_alarm", "close", "boot", "fired"])
values = st.none() | st.integers() | st.text(max_size=4) | st.sampled_from(["tcp", "mqtt:a"]) | st.lists(st.none())
fields = st.dictionaries(st.sampled_from(["port", "code", "present", "client", "site", "device", "root"]), values)


@given(st.integers(1, 8), events, fields)
def test_edited_events_are_repeated_or_one_error(at: int, event: str, fields: dict[str, Any]) -> None:
    try:
        replay_device(changed(recorded(), at, interface=0, direction=NO_DIRECTION, data=encode_event(event, fields)))
    except CaptureError as error:
        assert error.where.startswith("packet at")
