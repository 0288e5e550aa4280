"""A port: what it is without a link, what a restart takes from it, and how a command there is answered."""

from firmware_sim.commands.statements import heartbeat
from firmware_sim.ports import Port, PortAsker
from protocols.language.enums import Role
from protocols.language.messages import PauseDone
from protocols.language.units import MILLISECOND, SECOND, Micros
from protocols.link.pace import IDLE_PACE
from protocols.serial.wire import SerialWire
from tests.unit.firmware_sim.boards import Bench


def port() -> Port:
    board = Bench().board
    return Port("a port", lambda now: heartbeat(board, now))


def test_a_port_has_no_link_and_is_a_viewers() -> None:
    new = port()
    assert not new.exchange.linked
    assert (new.name, new.role, new.host_id, new.max_payload_size) == ("a port", Role.VIEWER, 0, 224)
    assert (new.idle_pace, new.armed_pace, new.hurried, new.stream_us) == (IDLE_PACE, IDLE_PACE, False, 0)


def test_a_restart_leaves_nothing_of_the_link_and_begins_with_a_new_wire() -> None:
    wires: list[SerialWire] = []

    def make_wire() -> SerialWire:
        wires.append(SerialWire())
        return wires[-1]

    board = Bench().board
    used = Port("a port", lambda now: heartbeat(board, now), make_wire)
    exchange = used.exchange
    used.role, used.host_id, used.max_payload_size, used.hurried = Role.CONTROLLER, 9, 131, True
    used.set_stream(50, Micros(0))
    used.restart()
    assert used.exchange is not exchange and len(wires) == 2
    assert (used.role, used.host_id, used.max_payload_size, used.hurried) == (Role.VIEWER, 0, 224, False)
    assert used.stream_us == 0


def test_ten_links_a_second_are_for_the_port_and_not_for_one_life_of_the_device() -> None:
    used = port()
    assert all(used.links.spend(Micros(0)) for _ in range(10))
    used.restart()
    assert not used.links.spend(Micros(SECOND - 1))
    assert used.links.spend(Micros(SECOND))


def test_telemetry_comes_first_one_interval_after_it_is_asked_for() -> None:
    streaming = port()
    streaming.set_stream(70, Micros(5))
    assert (streaming.stream_us, streaming.stream_due) == (70 * MILLISECOND, 5 + 70 * MILLISECOND)
    streaming.set_stream(0, Micros(9))
    assert streaming.stream_us == 0


def test_an_answer_to_a_command_whose_link_is_gone_goes_nowhere() -> None:
    gone = port()
    asker = PortAsker(gone.exchange, 12)
    asker.reply(PauseDone(), Micros(0))
    asker.reply(PauseDone(), Micros(0), replayed=True)
    assert asker.correlation_id == 12
    assert gone.exchange.take() == []
