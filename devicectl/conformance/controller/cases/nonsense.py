"""Cases of frames that no device should send: those to be answered by NAK, and those to be passed over or taken."""

from typing import Final

from devicectl.conformance.case import Case
from devicectl.conformance.controller import reactions
from devicectl.conformance.controller.cases.declare import case
from devicectl.conformance.controller.line import Line, Tamper
from devicectl.conformance.controller.scene import Scene
from devicectl.conformance.controller.spoilt import (
    BORNE,
    JOINED,
    OTHER_MAJOR,
    REFUSED,
    behind_noise,
    crafted,
    other_node,
    put,
)
from devicectl.conformance.controller.tape import Said
from protocols.language import messages as M
from protocols.language.enums import Code
from protocols.language.message import Message
from protocols.language.version import MAJOR

_SLOTS: Final[tuple[type[Message], ...]] = (M.PunchDone, M.AdvanceDone)
"""Two places in each of the first four cycles: NAKs are limited to ten a second."""


def _slot(index: int) -> tuple[type[Message], int]:
    return _SLOTS[index % 2], index // 2 + 1


def _received(line: Line, said: Said) -> list[bytes]:
    return [crafted(line, M.Received(expected_ms=50), correlation=said.header.correlation_id)]


WRONG: Final = Scene("wrong", tampers=[put(one[0], one[3], *_slot(index)) for index, one in enumerate(REFUSED)])
ODD: Final = Scene("odd", tampers=[put(one[0], one[3], *_slot(index)) for index, one in enumerate(BORNE)])
MIXED: Final = Scene(
    "mixed",
    tampers=[
        put("joined", JOINED, M.PunchDone, 2),
        put("node", other_node, M.AdvanceDone, 2),
        put("behind", behind_noise, M.PunchDone, 3),
        Tamper(
            "received", lambda said: said.by_host and type(said.message) is M.JournalRead and not said.again, _received
        ),
    ],
)

CASES: Final[tuple[Case, ...]] = (
    *(
        case(f"wrong.{name}", f"{title} gets NAK", f"{rule} FRM-11 FRM-12", WRONG, reactions.nak_to(name, *codes))
        for name, rule, title, _, codes in REFUSED
    ),
    case("wrong.session", "frames that cannot be taken cost no session", "FRM-11 PAY-11", WRONG, reactions.closed_well),
    *(
        case(f"odd.{name}", f"{title} is not answered", rule, ODD, reactions.borne(name))
        for name, rule, title, _ in BORNE
    ),
    case("odd.session", "what is passed over costs no session", "FRM-9 FRM-15 LNK-20", ODD, reactions.closed_well),
    case(
        "mixed.joined",
        "two frames with one zero between them are both found",
        "FRM-2",
        MIXED,
        reactions.nak_to("joined", Code.E_ARGUMENT, Code.E_UNKNOWN_MESSAGE),
    ),
    case(
        "mixed.node",
        "a frame for another node is taken",
        "FRM-7",
        MIXED,
        reactions.nak_to("node", Code.E_ARGUMENT),
    ),
    case(
        "mixed.behind",
        "a frame behind noise is taken",
        "FRM-9",
        MIXED,
        reactions.nak_to("behind", Code.E_ARGUMENT),
    ),
    case(
        "wrong.majors",
        "the NAK to another major has both majors",
        "FRM-16",
        WRONG,
        reactions.tells("major", MAJOR, OTHER_MAJOR),
    ),
    case(
        "mixed.received",
        "RECEIVED is no answer to a query",
        "CMD-16",
        MIXED,
        reactions.nak_to("received", Code.E_ARGUMENT),
    ),
)
