"""Cases of the beginning and the end of a link: what WELCOME says, silence, and what is no sign of life."""

from collections.abc import Callable, Sequence
from typing import Final

from devicectl.conformance.case import Case
from devicectl.conformance.controller import reactions
from devicectl.conformance.controller.cases.declare import case
from devicectl.conformance.controller.line import Line, Tamper
from devicectl.conformance.controller.scene import Scene
from devicectl.conformance.controller.spoilt import TELEMETRY, bad_crc, crafted, echo, wrong_link
from devicectl.conformance.controller.tape import Said
from protocols.language import messages as M
from protocols.language.enums import Code
from protocols.language.version import MINOR

LEASE_MS: Final = 2_000
QUIET_MS: Final = 4_500
_WAITING: Final = {"anesthesia_wait_s": 6, "lease_idle_ms": LEASE_MS}
"""A wait in which nothing is asked: only the lease tells that a link is lost."""
Make = Callable[[Line, Said], Sequence[bytes]]


def _is_welcome(said: Said) -> bool:
    return not said.by_host and type(said.message) is M.Welcome


def _is_hello(said: Said) -> bool:
    return said.by_host and type(said.message) is M.Hello


def _rests(said: Said) -> bool:
    """Return True for a heartbeat, but for the one with which a link begins behind a broker."""
    begins = said.publication is not None and said.publication.qos > 0
    return said.by_host and type(said.message) is M.HostHeartbeat and not begins


def _welcome(name: str, **changes: int) -> Scene:
    """Make a scene whose WELCOME has other values."""

    def make(line: Line, said: Said) -> Sequence[bytes]:
        assert isinstance(said.message, M.Welcome)
        other = M.Welcome(**{**said.message.as_dict(), **changes})
        return [crafted(line, other, correlation=said.header.correlation_id, seq=said.header.seq)]

    return Scene(name, tampers=[Tamper(name, _is_welcome, make, times=0, keeps=True)])


def _nak(name: str, code: Code) -> Scene:
    """Make a scene in which HELLO gets a NAK."""

    def make(line: Line, said: Said) -> Sequence[bytes]:
        nak = M.Nak(code=code, seq=said.header.seq, expected=2, actual=1, sentence="refused by the test")
        return [crafted(line, nak, correlation=said.header.correlation_id, link_id=0)]

    return Scene(name, tampers=[Tamper(name, _is_hello, make, times=0, keeps=True)], limit_s=45)


def _silent(name: str, make: Make | None = None) -> Scene:
    """Make a scene in which the device falls silent when the command rests; `make` gives what is heard in its place."""
    spell = Tamper(
        name,
        _rests,
        (lambda line, said: ()) if make is None else make,
        every_ms=0 if make is None else 150,
        for_ms=QUIET_MS,
        mutes=True,
    )
    return Scene(name, tampers=[spell], parameters=_WAITING)


def _signs(line: Line, said: Said) -> Sequence[bytes]:
    return [crafted(line, TELEMETRY)]


SCHEMA: Final = _welcome("other-schema", schema_id=0x01020304)
NO_SCHEMA: Final = _welcome("schema-0", schema_id=0)
NEWER: Final = _welcome("newer-minor", minor=MINOR + 7)
VERSION: Final = _nak("nak-version", Code.E_VERSION)
BUSY: Final = _nak("nak-schema", Code.E_SCHEMA)
MUTE: Final = Scene("mute-hello", tampers=[Tamper("mute-hello", _is_hello, times=0, keeps=True)], limit_s=45)
SILENT: Final = _silent("silence")
SIGNS: Final = _silent("signs", _signs)
NOISE: Final = _silent("noise", bad_crc)
OTHERS: Final = _silent("other-link", wrong_link)
ECHO: Final = _silent("echo", echo)
ENDLESS: Final = Scene(
    "endless",
    tampers=[Tamper("endless", _rests, for_ms=QUIET_MS, mutes=True)],
    parameters={"anesthesia_wait_s": 6, "lease_idle_ms": 0, "lease_armed_ms": 0},
)
_IN_TIME: Final = "nothing but {} keeps no link: it is left when the lease is over"

CASES: Final[tuple[Case, ...]] = (
    case(
        "welcome.schema",
        "a link with another schema id is left",
        "PAY-15",
        SCHEMA,
        reactions.refused_link("other-schema"),
    ),
    case("welcome.no-schema", "schema id 0 is not compared", "PAY-13", NO_SCHEMA, reactions.closed_well),
    case("welcome.newer", "a device of a newer minor is linked", "PAY-16", NEWER, reactions.closed_well),
    case("hello.version", "NAK E_VERSION to HELLO is an end", "LNK-1", VERSION, reactions.refused_link("nak-version")),
    case("hello.schema", "NAK E_SCHEMA to HELLO is an end", "LNK-1", BUSY, reactions.refused_link("nak-schema")),
    case(
        "hello.tries",
        "HELLO without an answer is tried five times",
        "CMD-13",
        MUTE,
        reactions.tried_five_times(M.Hello),
    ),
    case(
        "hello.mute", "a device that answers nothing is given up", "CMD-13", MUTE, reactions.refused_link("mute-hello")
    ),
    case(
        "lease.silence", "a silent link is left in time", "LSE-2", SILENT, reactions.lost_in_time("silence", LEASE_MS)
    ),
    case("lease.signs", "any valid frame renews the lease", "LSE-3", SIGNS, reactions.held_for("signs", QUIET_MS)),
    case("lease.noise", _IN_TIME.format("noise"), "FRM-10", NOISE, reactions.lost_in_time("noise", LEASE_MS)),
    case(
        "lease.other-link",
        _IN_TIME.format("frames of another link"),
        "LNK-18",
        OTHERS,
        reactions.lost_in_time("other-link", LEASE_MS),
    ),
    case("lease.echo", _IN_TIME.format("its own echo"), "LNK-21", ECHO, reactions.lost_in_time("echo", LEASE_MS)),
    case("lease.endless", "a lease of 0 never ends", "LSE-5", ENDLESS, reactions.held_for("endless", QUIET_MS)),
)
