"""Cases of a session in which nothing goes wrong."""

from typing import Final

from devicectl.conformance.case import Case
from devicectl.conformance.controller import checks, reactions
from devicectl.conformance.controller.cases.declare import case
from devicectl.conformance.controller.scene import Scene, Speed

PLAIN: Final = Scene("plain")
SLOW: Final = Scene("slow", parameters={"reposition_mean_s": 1.6, "anesthesia_wait_s": 2})
"""Motions that take a second and more, and a wait in which nothing is to be said but heartbeats."""
CRUMBS: Final = Scene("crumbs", speed=Speed.CRUMBS)

CASES: Final[tuple[Case, ...]] = (
    case("plain.session", "a session is closed with counts that agree", "CMD-5 CMD-12", PLAIN, reactions.closed_well),
    case("plain.frames", "every byte is of a whole frame", "FRM-1", PLAIN, checks.frames_are_whole),
    case("plain.payloads", "every payload is of the tables", "PAY-1", PLAIN, checks.payloads_fit),
    case("plain.canonical", "bools are 0 or 1, and texts are filled up", "PAY-2", PLAIN, checks.payloads_are_canonical),
    case("plain.seq", "seq rises by one", "FRM-4", PLAIN, checks.seq_rises),
    case("plain.link-id", "frames carry the link id of WELCOME", "FRM-5", PLAIN, checks.links_fit),
    case("plain.unasked", "heartbeats and BYE carry correlation id 0", "FRM-6", PLAIN, checks.unasked_is_zero),
    case("plain.hello", "nothing comes before HELLO", "LNK-1", PLAIN, checks.greets_first),
    case("plain.own", "nothing of a device is sent", "LNK-19", PLAIN, checks.own_messages_only),
    case("plain.correlation", "correlation ids rise by one", "CMD-5", PLAIN, checks.correlation_rises),
    case("plain.motions", "one motion is under way at a time", "CMD-7", PLAIN, checks.one_motion),
    case("plain.queries", "four queries are under way at most", "CMD-9", PLAIN, checks.four_queries),
    case("plain.journal", "what is acknowledged was read", "EVT-8", PLAIN, checks.acknowledges_what_it_read),
    case("plain.armed", "PUNCH comes behind ARM, with the next number", "CYC-22", PLAIN, checks.punches_when_armed),
    case("plain.counts", "SESSION_CLOSE has the counts of the journal", "EVT-16", PLAIN, checks.counts_agree),
    case("plain.bye", "the command takes leave", "LNK-22", PLAIN, reactions.says_bye),
    case("slow.heartbeats", "no silence is longer than the heartbeat time", "LSE-1", SLOW, reactions.beats),
    case("slow.patience", "a command that moves is not sent again", "CMD-14", SLOW, reactions.patient),
    case("slow.session", "a slow device is waited for", "CMD-14 LSE-3", SLOW, reactions.closed_well),
    case("crumbs.session", "frames come a few bytes at a time", "FRM-3", CRUMBS, reactions.closed_well),
)
