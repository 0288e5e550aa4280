"""Ways to reach a device: one row for each, with the options that ask for it.

--tcp 127.0.0.1:4001                       TCP
--pty --link /tmp/handpiece                a pseudo-terminal, under a name
--rfc2217 127.0.0.1:4002                   a serial port over the network
--mqtt mqtt://127.0.0.1:1883/bench/sim-7   behind an MQTT 5 broker

A new transport is a row of `TRANSPORTS` and the module that it names, in this package: what its options say (`parse`),
and how it is opened (`open_transport` of what `parse` returns). Command line, help, announcement, report and errors
follow from the row. The host has such a table in `devicectl/transports/urls.py`.

Law: opens nothing. A module is imported when its transport is asked for: nobody waits for a library that is not used,
and not every system has every transport.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from firmware_sim.serve.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware_sim.device import Device
    from firmware_sim.ports import Port
    from firmware_sim.serve.real_time import Tap, Write
    from handpiece_shell.files import NamedFile
    from protocols.link.port import AnyWire


class Extra(NamedTuple):
    """A further option of one transport; `purpose` tells why it needs that one. Without a `metavar` it has no value."""

    name: str
    metavar: str
    help: str
    purpose: str


class Row(NamedTuple):
    """One transport. Its option is `--name`, and the names of its ports begin with `name`; `module` opens it.

    Without a `metavar` the option has no value. `through` is what breaks when a port goes, for the report; `missing`
    is what a user reads where the system cannot import the module.
    """

    name: str
    metavar: str
    help: str
    module: str
    extras: tuple[Extra, ...] = ()
    through: str = "its connection"
    missing: str = ""

    @property
    def option(self) -> str:
        """The option, as a user types it."""
        return f"--{self.name}"


_LINK: Final = Extra(
    "link",
    "PATH",
    "the name of the pseudo-terminal; else one of its own in the runtime directory",
    "names a pseudo-terminal",
)
_PACED: Final = Extra(
    "paced",
    "",
    "with --rfc2217, each byte takes its time at the baud rate that the host has set",
    "paces a serial line",
)
_FORGET: Final = Extra(
    "forget", "", "with --mqtt, clear at the end what the broker retains of the device", "clears what a broker retains"
)

TRANSPORTS: Final[Mapping[str, Row]] = {
    row.name: row
    for row in (
        Row(
            "pty",
            "",
            "at a pseudo-terminal, for hosts that open a serial port",
            "pty_line",
            extras=(_LINK,),
            missing="this system has no pseudo-terminals; --tcp 127.0.0.1:0 works everywhere",
        ),
        Row(
            "rfc2217",
            "HOST:PORT",
            "as a gateway's port, by RFC 2217; port 0 is any free one",
            "rfc2217",
            extras=(_PACED,),
        ),
        Row("tcp", "HOST:PORT", "on TCP; port 0 is any free one (default, alone: 127.0.0.1:0)", "tcp"),
        Row(
            "mqtt",
            "URL",
            "behind an MQTT 5 broker, such as mqtt://127.0.0.1:1883/bench/sim-7",
            "mqtt",
            extras=(_FORGET,),
            through="the device's broker",
        ),
    )
}
"""Every transport by its name, in the order of the help and of the announcement."""
DEFAULT: Final[Mapping[str, str]] = {"tcp": "127.0.0.1:0"}
"""Options where no transport is asked for: TCP works everywhere, and on this address for nobody else."""


class Transport(Protocol):
    """An open way to the device. It attaches a port for each host that it can tell from another."""

    @property
    def url(self) -> str:
        """The device URL that a host on this machine opens."""

    @property
    def warning(self) -> str:
        """A sentence that a person should read about it; empty if there is none."""

    async def close(self) -> None:
        """Let what was written go out, if it can, and close."""

    def cut(self, *, host_knows: bool, device_knows: bool) -> None:
        """Break it by a fault, for the ends that are to know; none can be reached by it until `mend`."""

    def mend(self) -> None:
        """Let it be reached again; an end that did not know of a cut knows now."""


class Served(Protocol):
    """A device as transports see it: `RealTimeDevice`, or whatever is in the place of one."""

    @property
    def device(self) -> "Device":
        """The device, to look at."""

    @property
    def places(self) -> int:
        """Hosts that may be connected at one time, over each transport."""

    def attach(self, name: str, write: "Write", make_wire: "Callable[[], AnyWire]" = ...) -> "Port":
        """A host is there; `write` takes what is sent to it."""

    def detach(self, port: "Port") -> None:
        """It is gone."""

    def count_birth(self) -> int:
        """Count a connection to a broker, and return its number."""

    def settle(self) -> None:
        """See that no loss of power takes away what a broker is about to show."""

    def receive(self, port: "Port", data: "Any") -> None:
        """It has sent something."""

    def set_alarm(self, code: int, present: bool) -> None:
        """The cause of an alarm was found, or found gone."""

    def note_settings(self, port: "Port", left_on: Sequence[str]) -> None:
        """It has set its terminal so."""

    def note_line(self, port: "Port", what: str) -> None:
        """It has set its line, or done something with it, in words."""

    def open_tap(self, name: str) -> "Tap | None":
        """Return a place in the trace; None where nothing is traced."""


class Place(Protocol):
    """A checked place at which a device is to be reached."""

    @property
    def host(self) -> str:
        """Name or address by which others would reach it; "" where only this machine can."""

    @property
    def files(self) -> "Sequence[NamedFile]":
        """Files that its options name."""

    async def open_transport(self, device: Served) -> Transport:
        """Open it, or raise ServeError."""


class TransportModule(Protocol):
    """The function of a row's module."""

    def parse(self, text: str, extras: Mapping[str, str]) -> Place:
        """Check the text of the option, and those of its extras that are given by name; or raise OptionError."""


def parse_places(given: Mapping[str, str]) -> list[Place]:
    """Check the options of all transports, by name; one that has no value is there as "".

    Raises:
        OptionError: one cannot be carried out.
    """
    for row in TRANSPORTS.values():
        for extra in row.extras:
            if extra.name in given and row.name not in given:
                raise OptionError(f"--{extra.name}", f"{extra.purpose}: it needs {row.option}")
    asked = given if any(name in given for name in TRANSPORTS) else DEFAULT
    return [_parse(row, asked) for row in TRANSPORTS.values() if row.name in asked]


def _parse(row: Row, given: Mapping[str, str]) -> Place:
    extras = {extra.name: given[extra.name] for extra in row.extras if extra.name in given}
    return _module_of(row).parse(given[row.name], extras)


def _module_of(row: Row) -> TransportModule:
    try:
        module: Any = import_module(f"firmware_sim.serve.transports.{row.module}")
    except ImportError as error:
        if not row.missing:
            raise
        raise OptionError(row.option, row.missing) from error
    found: TransportModule = module
    return found
