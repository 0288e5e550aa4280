"""Everything that an exchange reports to its owner, as two closed unions: one for each end.

Law: an owner matches its end's union with `assert_never`, so that a new happening cannot be overlooked.
"""

from typing import NamedTuple, TypeAlias

from protocols.language.enums import Code
from protocols.language.message import Message
from protocols.language.messages import Hello, Welcome
from protocols.link.requests import Request


class Linked(NamedTuple):
    """Host: the device granted the link."""

    welcome: Welcome


class Denied(NamedTuple):
    """Host: the device grants this host no link, and says why."""

    code: Code
    sentence: str


class Answered(NamedTuple):
    """Host: an answer to `request`. It is the last one when `final`."""

    request: Request
    message: Message
    final: bool


class Abandoned(NamedTuple):
    """Host: `request` has no final answer and will not get one."""

    request: Request
    reason: str


class Greeted(NamedTuple):
    """Device: a host asks for a link and may have it. Answer with `welcome`, or with `deny`."""

    hello: Hello
    correlation_id: int
    seq: int


class Commanded(NamedTuple):
    """Device: a command to carry out, once. Answer with `reply`."""

    correlation_id: int
    command: Message


# One class for all of them: what a heartbeat or an alarm means is the owner's to know, and not the exchange's.
class Told(NamedTuple):
    """Either end: a message that answers nothing: heartbeat, alarm, event, telemetry."""

    message: Message


class LinkLost(NamedTuple):
    """Either end: the link is gone. At a host, `Abandoned` follows for each command in flight or waiting.

    `unended` is the command that the device took and did not end as it must: the device is there, and it is no use to
    ask again.
    """

    reason: str
    unended: Message | None = None


# Two unions, since `assert_never` is of use only where each member can really happen at that end.
HostHappening: TypeAlias = Linked | Denied | Answered | Abandoned | Told | LinkLost
DeviceHappening: TypeAlias = Greeted | Commanded | Told | LinkLost
