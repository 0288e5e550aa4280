"""Which links may be made to a board, and which of them may command: each condition by itself."""

import pytest

from firmware_sim.control import MAX_VIEWERS, Control
from firmware_sim.device import Device
from firmware_sim.ports import Port
from protocols.language.enums import Code, Role
from tests.unit.firmware_sim.visitors import Visitor


@pytest.fixture
def device() -> Device:
    return Device(seed=7)


def link(device: Device, role: Role, host_id: int) -> Port:
    return Visitor(device, host_id, role).port


def test_a_controller_may_have_what_nobody_holds_and_keeps_what_it_holds(device: Device) -> None:
    control = device.control
    first, second = link(device, Role.CONTROLLER, 1), link(device, Role.CONTROLLER, 2)
    assert (control.host_id, control.may_have(first), control.may_have(second)) == (0, True, True)
    assert control.refuse(first) is None
    control.holder = first
    assert (control.host_id, control.may_have(first), control.may_have(second)) == (1, True, False)
    no = control.refuse(second)
    assert control.refuse(first) is None
    assert no is not None and (no.code, no.actual) == (Code.E_BUSY, 1)


def test_a_viewer_may_have_nothing(device: Device) -> None:
    viewer = link(device, Role.VIEWER, 1)
    no = device.control.refuse(viewer)
    assert not device.control.may_have(viewer)
    assert no is not None and no.code is Code.E_AUTH


def test_only_the_holders_link_gives_control_back(device: Device) -> None:
    control, first, second = device.control, link(device, Role.CONTROLLER, 1), link(device, Role.CONTROLLER, 2)
    control.holder = first
    assert not control.release(second) and control.holder is first
    assert control.release(first) and control.holder is None
    assert not control.release(first)


def full(device: Device) -> tuple[Control, Port]:
    """A device at whose ports as many viewers look on as may, and a port where nobody is."""
    for number in range(MAX_VIEWERS):
        link(device, Role.VIEWER, number + 1)
    return device.control, device.attach("free")


def test_a_controller_gets_in_however_many_look_on(device: Device) -> None:
    control, free = full(device)
    assert not control.has_room(free, Role.VIEWER, 99)
    assert control.has_room(free, Role.CONTROLLER, 99)


def test_a_viewer_whose_own_link_is_replaced_takes_no_further_place(device: Device) -> None:
    control, free = full(device)
    assert control.has_room(free, Role.VIEWER, 1), "its link on another port"
    assert control.has_room(device.ports[0], Role.VIEWER, 99), "the link on its port"


@pytest.mark.parametrize("change", ["gone", "controller"])
def test_a_host_that_is_gone_or_a_controller_takes_no_viewers_place(device: Device, change: str) -> None:
    control, free = full(device)
    if change == "gone":
        device.ports[3].exchange.drop()
    else:
        device.ports[3].role = Role.CONTROLLER
    assert control.has_room(free, Role.VIEWER, 99)


# --- a port that gives way to a new one -----------------------------------------------------------------------


def test_a_port_without_a_link_gives_way_first(device: Device) -> None:
    controller, free = link(device, Role.CONTROLLER, 1), device.attach("free")
    link(device, Role.CONTROLLER, 2)
    assert device.control.expendable(device.ports) is free
    assert device.control.expendable([controller]) is None


def test_of_two_controllers_the_oldest_that_does_not_hold_control_gives_way(device: Device) -> None:
    first, second, third = (link(device, Role.CONTROLLER, number) for number in (1, 2, 3))
    assert device.control.expendable([first, second, third]) is first
    device.control.holder = first
    assert device.control.expendable([first, second, third]) is second


def test_the_only_controller_does_not_give_way(device: Device) -> None:
    viewer, waiting = link(device, Role.VIEWER, 1), link(device, Role.CONTROLLER, 2)
    assert device.control.expendable([viewer, waiting]) is None


def test_viewers_and_the_holder_do_not_give_way(device: Device) -> None:
    viewers = [link(device, Role.VIEWER, number) for number in (1, 2)]
    holder = link(device, Role.CONTROLLER, 3)
    device.control.holder = holder
    assert device.control.expendable([*viewers, holder]) is None
