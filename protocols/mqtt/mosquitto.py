"""Configurations of the broker Mosquitto for a handpiece: who may read and write which topic, and three whole files.

Law: pure texts. What is here is what the documents show, what the tests start, and what `sim+mqtt://` runs.

Topics are all that a broker can tell apart: a device cannot see who published a command, since the Response Topic in
it is whatever its sender says. So it is these rights that keep a viewer from commanding in a controller's name, and
they list a viewer's commands one by one.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from protocols.language.enums import Kind, Lane
from protocols.language.messages import JournalAck
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import COMMANDS, MAX_PACKET_BYTES
from protocols.text.notice import NOTICE

PUBLIC: Final = ("status", "info", "state", "alarms", "params", "event", "heartbeat", "telemetry/+")
"""Topics that a device shows to anybody who may watch it."""
VIEWER_COMMANDS: Final = tuple(
    name
    for name, model in COMMANDS.items()
    if (model.KIND is Kind.LINK or model.LANE in (Lane.QUERY, Lane.STOP)) and model is not JournalAck
)
"""Messages that a viewer may send: that it is there, what only asks, and STOP. JOURNAL_ACK moves the journal's tail."""
_OWN_HEARTBEAT: Final = "heartbeat/%c"
_OWN_REPLY: Final = "reply/%c"
"""Mosquitto puts the client's identifier for %c, in lines that are for every user."""


class Access(StrEnum):
    """User of the broker, by what it may do there."""

    DEVICE = "device"
    CONTROLLER = "controller"
    VIEWER = "viewer"
    OBSERVER = "observer"


class Rights(NamedTuple):
    """Topics below a device's own, with Mosquitto's wildcards: read, written, and kept from `%c`'s lines."""

    reads: tuple[str, ...]
    writes: tuple[str, ...]
    denied: tuple[str, ...] = ()


_COMMANDS: Final = tuple(f"command/{name}" for name in VIEWER_COMMANDS)

RIGHTS: Final[Mapping[Access, Rights]] = {
    Access.DEVICE: Rights(("command/+", "heartbeat/+"), (*PUBLIC, "reply/+")),
    Access.CONTROLLER: Rights((*PUBLIC, _OWN_REPLY), ("command/+", _OWN_HEARTBEAT)),
    Access.VIEWER: Rights((*PUBLIC, _OWN_REPLY), (*_COMMANDS, _OWN_HEARTBEAT)),
    Access.OBSERVER: Rights(PUBLIC, (), denied=("heartbeat/+", "reply/+")),
}
"""A host is a controller or a viewer. An observer is a dashboard: it commands nothing and answers to nobody."""

USERS: Final[Mapping[str, Access]] = {access.value: access for access in Access}
"""A user for each, named after it."""


def acl_file(topics: DeviceTopics, users: Mapping[str, Access] = USERS) -> str:
    """The access list of one device; those of several are put one after the other.

    Raises:
        ValueError: a user's name would not stay in its line.
    """
    lines = [f"# {NOTICE}", f"# Who may do what at {topics.base}", ""]
    for user, access in users.items():
        if not user or not user.isprintable() or user != user.strip():
            raise ValueError(f"{user[:40]!r} is no user name for an access list: it is one line of text")
        lines += [f"# {access.value}", f"user {user}", *_topic_lines(topics, RIGHTS[access]), ""]
    lines += [
        "# every user, with its own client identifier for %c",
        f"pattern write {topics.of(_OWN_HEARTBEAT)}",
        f"pattern read {topics.of(_OWN_REPLY)}",
    ]
    return "\n".join(lines) + "\n"


def _topic_lines(topics: DeviceTopics, rights: Rights) -> list[str]:
    given = (("deny", rights.denied), ("read", rights.reads), ("write", rights.writes))
    return [f"topic {kind} {topics.of(name)}" for kind, names in given for name in names if "%c" not in name]


def loopback(port: int = 1883) -> str:
    """A broker for the programs of one machine, without passwords and encryption."""
    return _text(
        "A broker for this machine alone.",
        f"listener {port} 127.0.0.1",
        "allow_anonymous true",
    )


def with_passwords(folder: str, port: int = 8883, address: str = "") -> str:
    """A broker for a network: TLS, a user name and a password, and the access list."""
    return _text(
        "A broker for a network: every client names its user, with a password.",
        *_tls(folder, port, address),
        f"password_file {folder}/passwords",
    )


def with_certificates(folder: str, port: int = 8883, address: str = "") -> str:
    """A broker for a network: TLS, where the Common Name of a client's certificate is its user name."""
    return _text(
        "A broker for a network: every client has a certificate, whose Common Name is its user.",
        *_tls(folder, port, address),
        "require_certificate true",
        "use_identity_as_username true",
    )


def _tls(folder: str, port: int, address: str) -> tuple[str, ...]:
    return (
        f"listener {port} {address}".rstrip(),
        f"cafile {folder}/ca.pem",
        f"certfile {folder}/broker.pem",
        f"keyfile {folder}/broker.key",
        "allow_anonymous false",
        f"acl_file {folder}/acl",
    )


def _text(purpose: str, *lines: str) -> str:
    always = (
        "# A message waits for nothing but the line.",
        "set_tcp_nodelay true",
        "# No message of this protocol is larger.",
        f"max_packet_size {MAX_PACKET_BYTES}",
        "# A device publishes what it retains again when it connects.",
        "persistence false",
        "log_dest stderr",
    )
    return "\n".join((f"# {NOTICE}", f"# {purpose}", *lines, *always)) + "\n"
