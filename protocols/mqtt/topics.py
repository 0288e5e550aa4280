"""MQTT topics: one device's names under `{root}/v1/{site}/{device}/`, made and read here and nowhere else.

    status  info  state  alarms  params  event    from the device, for anybody
    heartbeat  telemetry/{stream}                 from the device
    command/{name}  heartbeat/{client}            from a host
    reply/{client}                                to one host; {client} is its MQTT client identifier

Law: an id that is a wildcard, or that would make one topic look like another, never gets into a topic.
"""

import re
from dataclasses import dataclass
from typing import Final

from protocols.language.errors import ProtocolError
from protocols.language.version import MAJOR

DEFAULT_ROOT: Final = "handpiece"
MAX_ID_BYTES: Final = 64
"""Bytes of UTF-8 in one id. A topic has at most five, far below MQTT's 65,535 bytes."""
_UNFIT: Final = re.compile(r"[+#/$\x00-\x1f\x7f]|\s")
"""Wildcards, the separator, what begins a broker's own topics, and what nobody can read in a log."""
_WORD: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class TopicError(ProtocolError, ValueError):
    """`part` of a topic cannot be `text`; `reason` says why and what could be."""

    def __init__(self, part: str, text: str, reason: str) -> None:
        self.part = part
        self.text = text
        self.reason = reason
        super().__init__(f"{part} {text!r}: {reason}")


def check_id(part: str, text: str) -> str:
    """`text`, if it can be one level of a topic; `part` names it in the error.

    Raises:
        TopicError: it cannot.
    """
    if not text:
        raise TopicError(part, text, "it is empty")
    if _UNFIT.search(text) or not text.isprintable():
        raise TopicError(part, text, "it has one of + # / $, white space or a control character; use letters and -")
    if len(text.encode(errors="replace")) > MAX_ID_BYTES:
        raise TopicError(part, text[:MAX_ID_BYTES], f"it has more than {MAX_ID_BYTES} bytes")
    return text


def topic_name(message_name: str) -> str:
    """A message's name in a topic: `SessionOpen` is `session_open`."""
    return _WORD.sub("_", message_name).lower()


@dataclass(frozen=True, slots=True)
class DeviceTopics:
    """The topics of the device `device` at `site`.

    Raises:
        TopicError: one of the three cannot be part of a topic.
    """

    site: str
    device: str
    root: str = DEFAULT_ROOT

    def __post_init__(self) -> None:
        """Check each id."""
        check_id("site", self.site)
        check_id("device", self.device)
        check_id("root", self.root)

    @property
    def base(self) -> str:
        """Beginning of every topic of the device, its last `/` included."""
        return f"{self.root}/v{MAJOR}/{self.site}/{self.device}/"

    def of(self, *levels: str) -> str:
        """One topic, such as `of("status")`; `of("command", "+")` is a filter."""
        return self.base + "/".join(levels)

    def parse(self, topic: str) -> tuple[str, ...] | None:
        """The levels after the device's own; None for a topic that is not this device's."""
        base = self.base
        return tuple(topic[len(base) :].split("/")) if topic.startswith(base) else None

    def client_of(self, response_topic: str | None) -> str | None:
        """The client whose `reply/{client}` this is; None where it is anything else."""
        levels = self.parse(response_topic) if response_topic is not None else None
        if levels is None or len(levels) != 2 or levels[0] != "reply":
            return None
        try:
            return check_id("client", levels[1])
        except TopicError:
            return None
