"""The table of transports: what the options of a command line ask for."""

import sys

import pytest

from firmware_sim.serve.errors import OptionError
from firmware_sim.serve.transports.pty_line import PtyPlace
from firmware_sim.serve.transports.rfc2217 import Rfc2217Place
from firmware_sim.serve.transports.table import DEFAULT, TRANSPORTS, parse_places
from firmware_sim.serve.transports.tcp import Address
from handpiece_shell.files import NamedFile, Use


def test_places_come_in_the_order_of_the_table() -> None:
    places = parse_places({"mqtt": "mqtt://127.0.0.1/bench/sim-7", "tcp": "[::1]:4001", "pty": ""})
    assert places[:2] == [PtyPlace(None), Address("::1", 4001)]
    assert [type(place).__name__ for place in places] == ["PtyPlace", "Address", "BrokerPlace"]


def test_tcp_is_served_where_nothing_is_asked_for() -> None:
    assert parse_places({}) == [Address("127.0.0.1", 0)] == parse_places(DEFAULT)


def test_an_extra_option_reaches_its_transport() -> None:
    (place,) = parse_places({"pty": "", "link": "handpiece"})
    assert place == PtyPlace("handpiece") and place.files == [NamedFile("--link", "handpiece", Use.HOLD)]


def test_a_line_by_rfc_2217_is_paced_where_that_is_asked_for() -> None:
    address = Address("127.0.0.1", 0)
    assert parse_places({"rfc2217": "127.0.0.1:0", "tcp": "127.0.0.1:0"}) == [Rfc2217Place(address), address]
    assert parse_places({"rfc2217": "127.0.0.1:0", "paced": ""}) == [Rfc2217Place(address, paced=True)]


@pytest.mark.parametrize(("name", "needed"), [("link", "pty"), ("forget", "mqtt"), ("paced", "rfc2217")])
def test_an_extra_option_needs_its_transport(name: str, needed: str) -> None:
    with pytest.raises(OptionError, match=f"--{name}: .*: it needs --{needed}"):
        parse_places({name: "", "tcp": "127.0.0.1:0"})


def test_a_system_may_lack_a_transport(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "firmware_sim.serve.transports.pty_line", None)
    with pytest.raises(OptionError, match="--pty: this system has no pseudo-terminals; --tcp"):
        parse_places({"pty": ""})


def test_a_module_that_is_broken_is_no_transport_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "firmware_sim.serve.transports.tcp", None)
    with pytest.raises(ImportError):
        parse_places(DEFAULT)


def test_each_option_is_named_once() -> None:
    names = [name for row in TRANSPORTS.values() for name in (row.name, *(extra.name for extra in row.extras))]
    assert len(set(names)) == len(names)
