"""Channels and links of the ground: HELLOs within a device's share, and the link that the cases command on.

Law: it keeps to what a device grants in a second, NAKs and links, so that no case fails for one that went before.
"""

import random
from collections.abc import Callable
from typing import Final

from devicectl.conformance.case import Need
from devicectl.conformance.device import checks
from devicectl.conformance.device.link import ANSWER_MS, Link, hello
from devicectl.conformance.device.probe import BrokenRule, Close, GoneError, Heard, Open, Probe, Steps
from devicectl.conformance.device.standing import Standing
from devicectl.conformance.device.wires import Wire
from protocols.language import messages as M
from protocols.language.enums import ByeReason, Role
from protocols.language.message import Message

SETTLE_MS: Final = 100
MAX_A_SECOND: Final = 10
"""NAKs of a device, and links of a port."""
SHARE_MS: Final = 1_100
"""A second, and what a device's clock may differ by."""


class Linked(Standing):
    """A device with the links to it. `link` is the controller's, on channel 0."""

    def __init__(self, make_wire: Callable[[int], Wire], *, seed: int, slack_ms: float, boot_ms: float) -> None:
        super().__init__()
        self.probe = Probe(make_wire, slack_ms)
        self.random = random.Random(f"{seed}:conformance")
        self.host_id = self.random.getrandbits(31) | 1
        self.boot_ms = boot_ms
        self.met: frozenset[Need] = frozenset()
        """Needs that the bench meets."""
        self._link: Link | None = None
        self.welcome: M.Welcome | None = None
        self.greeted: list[tuple[int, int]] = []
        """Channel and time of each HELLO of the last second."""
        self.late = 0
        """Answers to HELLO that came when they were waited for no more."""
        self.links: dict[int, Link] = {}
        """Channel -> the link on it that was granted last."""

    @property
    def has_link(self) -> bool:
        """True while the controller's link stands, as far as the probe knows."""
        return self._link is not None and self.probe.channels[0].open

    @property
    def link(self) -> Link:
        """The controller's link; a case that begins at a stage has one."""
        assert self._link is not None, "a stage begins with a link"
        return self._link

    @property
    def opens_ports(self) -> bool:
        """True where a way that is opened again is a new port, with a share of links of its own."""
        return self.met.issuperset((Need.BYTES, Need.SECOND))

    def nonce(self) -> int:
        """Draw a nonce."""
        return self.random.getrandbits(32)

    def nak_room(self) -> Steps[None]:
        """Wait until the device may say NAK again: it says it ten times a second, and no more."""
        while self.probe.naks_since(SHARE_MS) >= MAX_A_SECOND - 1:
            yield from self.probe.pause(SETTLE_MS)

    def link_room(self, channel: int) -> Steps[None]:
        """Wait until a port may grant a link again: it grants ten a second."""
        while self.spent(channel) >= MAX_A_SECOND - 1:
            yield from self.probe.pause(SETTLE_MS)

    def spent(self, channel: int) -> int:
        """Return how many HELLOs of the last second went over a channel as it is open now."""
        since = self.probe.now - SHARE_MS * 1000
        self.greeted = [(one, at) for one, at in self.greeted if at > since]
        return sum(one == channel for one, _ in self.greeted)

    def greet(
        self, channel: int, message: Message, *, correlation: int = 1, limit_ms: float = ANSWER_MS
    ) -> Steps[Heard]:
        """Send a HELLO and wait for what answers it."""
        probe = self.probe
        wire = probe.channels[channel].wire if channel in probe.channels else None
        if wire is None:
            raise GoneError(probe.why_closed(channel))
        yield from self.link_room(channel)
        yield from self.nak_room()
        self.greeted.append((channel, probe.now))

        def answers(heard: Heard) -> bool:
            if heard.channel != channel or not isinstance(heard.message, M.Welcome | M.Nak):
                return False
            self.late += heard.header.correlation_id != correlation
            return heard.header.correlation_id == correlation

        probe.send(channel, wire.encode(message, 0, 0, correlation, 2))
        return (
            yield from probe.wait(
                "an answer to HELLO",
                answers,
                limit_ms,
                channel=channel,
            )
        )

    def open_link(
        self, channel: int = 0, *, host_id: int | None = None, role: Role = Role.CONTROLLER, max_payload_size: int = 224
    ) -> Steps[Link]:
        """Open a channel if it is not, say HELLO, and return the link."""
        yield from self.open_channel(channel)
        asked = hello(
            self.host_id if host_id is None else host_id, self.nonce(), role=role, max_payload_size=max_payload_size
        )
        heard = yield from self.greet(channel, asked)
        if not isinstance(heard.message, M.Welcome):
            raise BrokenRule("the answer to HELLO", "Welcome", checks.say(heard.message))
        return self.take_link(channel, heard)

    def take_link(self, channel: int, heard: Heard) -> Link:
        """Make a link of a WELCOME."""
        assert isinstance(heard.message, M.Welcome)
        link = Link(self.probe, channel, heard.message, heard.header)
        self.probe.channels[channel].link = self.links[channel] = link
        link.beat_at_once()
        if channel == 0:
            self._link, self.welcome = link, heard.message
            self.follow_welcome(heard.message)
        return link

    def open_channel(self, channel: int) -> Steps[None]:
        """Open a channel, unless it is open."""
        one = self.probe.channels.get(channel)
        if one is None or not one.open:
            yield Open(channel)

    def close_channel(self, channel: int) -> Steps[None]:
        """Close a channel; with it goes its link."""
        yield Close(channel)
        self.probe.channels.pop(channel, None)
        if self.opens_ports:
            self.greeted = [(one, at) for one, at in self.greeted if one != channel]
        if channel == 0:
            self._link = None

    def drop_link(self) -> None:
        """Forget the controller's link: the next stage begins with a HELLO."""
        self._link = None
        if 0 in self.probe.channels:
            self.probe.channels[0].link = None

    def part(self, channel: int) -> Steps[None]:
        """Leave whatever link a channel has, and close it: behind a broker the device does not see it close."""
        link = self.links.pop(channel, None)
        if link is not None and self.probe.channels[channel].open:
            self.leave(link)
        yield from self.close_channel(channel)

    def leave(self, link: Link) -> None:
        """Say BYE on a link and forget it."""
        link.send(M.Bye(reason=ByeReason.CLOSING))
        self.probe.channels[link.channel].link = None
        if link is self._link:
            self._link = None
