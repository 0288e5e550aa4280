"""Cases of the journal and of what is closed by it, and its reading for other groups."""

from functools import partial
from typing import Final

from devicectl.conformance.case import Case, Need
from devicectl.conformance.device.cases.declare import case
from devicectl.conformance.device.checks import done, equal, refused, true
from devicectl.conformance.device.ground import Ground, Stage
from devicectl.conformance.device.probe import BrokenRule, Heard, Steps, UnmetError
from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.enums import AlarmState, CloseReason, Code, NeedleOutcome, Role
from protocols.language.enums import DeviceState as S
from protocols.language.interlocks import COUNT_MISMATCH, LINK, ZONE
from protocols.language.records import RECORD_SIZE

PAGES: Final = 400
"""Pages of one reading: more than a journal of 1,024 records has at three a page."""
LATER_MS: Final = 20
"""Time between two readings of a record: long enough for another time to stand in it, if that changed."""
COUNTS: Final = ("cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted")


def page_from(ground: Ground, first: int, max_records: int = 255) -> Steps[M.JournalPage]:
    """Read one page of the journal."""
    epoch = ground.link.welcome.journal_epoch
    answer = yield from ground.ask(M.JournalRead(epoch=epoch, first=first, max_records=max_records))
    return done(answer, M.JournalPage)


def head_of(ground: Ground) -> Steps[int]:
    """Ask for the journal's head."""
    return (yield from page_from(ground, 1)).head


def split(raw: bytes) -> list[bytes]:
    """Cut a page's bytes into records.

    Raises:
        BrokenRule: they are no whole number of them.
    """
    if len(raw) % RECORD_SIZE:
        raise BrokenRule("bytes of a page's records", f"a multiple of {RECORD_SIZE}", str(len(raw)))
    return [raw[start : start + RECORD_SIZE] for start in range(0, len(raw), RECORD_SIZE)]


def records_from(ground: Ground, first: int) -> Steps[list[R.Record]]:
    """Read the journal from a record to its head; what is of no known kind is left out.

    Raises:
        BrokenRule: a page makes no headway.
    """
    found: list[R.Record] = []
    for _ in range(PAGES):
        page = yield from page_from(ground, first)
        raws = split(page.records)
        if not raws:
            return found
        for raw in raws:
            record = R.decode_record(raw)
            if record is not None:
                found.append(record)
        last = found[-1] if found else None
        skipped = last.missing - 1 if isinstance(last, R.Gap) else 0
        after = R.event_no_of(raws[-1]) + 1 + skipped
        true("the number behind a page's last record", after > first, f"above {first}", after)
        first = after
    raise BrokenRule("the journal", f"an end within {PAGES} pages", "more of them")


def cycle_records(ground: Ground, cycle_no: int) -> Steps[list[R.Cycle]]:
    """Read the CYCLE records of one number, which is of the session."""
    found = yield from records_from(ground, ground.session_from)
    return [one for one in found if isinstance(one, R.Cycle) and one.cycle_no == cycle_no]


def fold(records: list[R.Record], session_no: int) -> dict[str, int]:
    """Count a session as a host does, from its records alone."""
    counts = dict.fromkeys(COUNTS, 0)
    mine = False
    for record in records:
        if isinstance(record, R.SessionOpened):
            mine = record.session_no == session_no
        elif isinstance(record, R.Cycle) and mine:
            counts["cycles"] += 1
            counts[record.ending.name.lower()] += 1
            outcomes = R.unpack_outcomes(record.outcomes, record.needles)
            counts["punctures"] += sum(one is not NeedleOutcome.NOT_PUNCTURED for one in outcomes)
            counts["cores_counted"] += sum(one is NeedleOutcome.COUNTED for one in outcomes)
    return counts


# --- reading and acknowledging -----------------------------------------------------------------------------------


def _numbers(ground: Ground) -> Steps[None]:
    head = yield from head_of(ground)
    first = max(1, head - 40)
    found = yield from records_from(ground, first)
    numbers = [one.event_no for one in found if not isinstance(one, R.Gap)]
    true("numbers of the last records", bool(numbers), "some", numbers)
    equal("numbers of the last records", list(range(numbers[0], numbers[0] + len(numbers))), numbers)
    yield from ground.ask(M.Pause())  # refused, and noted
    later = yield from head_of(ground)
    true("the head afterwards", later >= numbers[-1] + 1, f"at least {numbers[-1] + 1}", later)


def _epoch(ground: Ground) -> Steps[None]:
    epoch = ground.link.welcome.journal_epoch
    for wrong in (epoch - 1 & 0xFFFF_FFFF, epoch + 1 & 0xFFFF_FFFF):
        said = refused((yield from ground.ask(M.JournalRead(epoch=wrong, first=1, max_records=1))), Code.E_ARGUMENT)
        equal("the epochs in the refusal", (epoch, wrong), (said.expected, said.actual))


def _ack_epoch(ground: Ground) -> Steps[None]:
    welcome = ground.link.welcome
    wrong = M.JournalAck(epoch=welcome.journal_epoch ^ 1, upto=welcome.journal_tail)
    refused((yield from ground.ask(wrong)), Code.E_ARGUMENT, Code.E_RANGE)


def _pages(ground: Ground) -> Steps[None]:
    head = yield from head_of(ground)
    for first in (head, head + 1_000):
        empty = yield from page_from(ground, first)
        equal(f"records from {first} on, the head being {head}", b"", empty.records)
    first = max(1, head - 2)
    page = yield from page_from(ground, first, 2)
    numbers = [R.event_no_of(raw) for raw in split(page.records)]
    equal(f"numbers of two records from {first} on", list(range(first, min(head, first + 2))), numbers)
    equal("the first number that the page names", first, page.first)


def _same_each_time(ground: Ground) -> Steps[None]:
    head = yield from head_of(ground)
    first = max(1, head - 5)
    one = yield from page_from(ground, first, 4)
    yield from ground.ask(M.Pause())
    yield from ground.probe.pause(LATER_MS)
    two = yield from page_from(ground, first, 4)
    equal("records read twice", one.records.hex(), two.records.hex())


def _oldest(ground: Ground) -> Steps[None]:
    """Fill the journal with refusals, all acknowledged, until its first records are gone: a GAP is in their place."""
    ends, head = ground.probe.now + FILL_MS * 1_000, 0
    while True:
        page = yield from page_from(ground, 1, 2)
        raws = split(page.records)
        equal("the number of the first record from 1 on", [1], [R.event_no_of(raw) for raw in raws[:1]])
        gap = R.decode_record(raws[0])
        if isinstance(gap, R.Gap):
            break
        if page.head <= head or ground.probe.now >= ends:
            raise UnmetError(f"a journal that refusals fill within {FILL_MS // 1_000} s")
        head = page.head
        done((yield from ground.ask(M.JournalAck(epoch=page.epoch, upto=head))), M.JournalAckDone)
        for _ in range(FILL_AT_ONCE):
            refused((yield from ground.ask(M.Pause())))
    equal("numbers from 1 on", [1, 1 + gap.missing], [R.event_no_of(raw) for raw in raws])
    alone = yield from page_from(ground, 1, 1)
    equal("the one record from 1 on", raws[0].hex(), alone.records.hex())
    yield from ground.abandon()  # whose first records are gone as well


FILL_MS: Final = 20_000
FILL_AT_ONCE: Final = 40
"""Refusals between two acknowledgements: fewer than any journal has room for."""


def _acknowledge(ground: Ground) -> Steps[None]:
    welcome = (yield from ground.open_link()).welcome  # by which nobody has acknowledged anything yet
    page = yield from page_from(ground, 1)
    equal("the tail of a page where nothing was acknowledged", welcome.journal_tail, page.tail)
    epoch = welcome.journal_epoch
    upto = min(page.head, page.tail + 2)
    moved = done((yield from ground.ask(M.JournalAck(epoch=epoch, upto=upto))), M.JournalAckDone)
    equal("the tail after an acknowledgement", upto, moved.tail)
    back = done((yield from ground.ask(M.JournalAck(epoch=epoch, upto=max(1, upto - 1)))), M.JournalAckDone)
    equal("the tail after an earlier one", upto, back.tail)
    equal("the tail of a page afterwards", upto, (yield from page_from(ground, 1)).tail)
    head = yield from head_of(ground)  # a host that has stored all acknowledges the head itself
    every = done((yield from ground.ask(M.JournalAck(epoch=epoch, upto=head))), M.JournalAckDone)
    equal("the tail where all is acknowledged", head, every.tail)


def _ack_beyond(ground: Ground) -> Steps[None]:
    head = yield from head_of(ground)
    epoch = ground.link.welcome.journal_epoch
    refused((yield from ground.ask(M.JournalAck(epoch=epoch, upto=head + 1))), Code.E_RANGE)


def _refusal_is_noted(ground: Ground) -> Steps[None]:
    head = yield from head_of(ground)
    said = refused((yield from ground.ask(M.Pause())))
    noted = [one for one in (yield from records_from(ground, head)) if isinstance(one, R.Refusal)]
    found = [(one.message_id, one.code) for one in noted]
    equal("refusals in the journal", [(M.Pause.ID, said.code)], found)


def _alarm_is_told(ground: Ground) -> Steps[None]:
    """Leave an armed device: a viewer hears of each change of the alarm, and the journal and the list have the same."""
    head = yield from head_of(ground)
    told: list[M.Alarm] = []

    def keep(heard: Heard) -> None:
        if heard.channel == 1 and isinstance(heard.message, M.Alarm):
            told.append(heard.message)

    yield from ground.open_link(1, host_id=ground.host_id + 1, role=Role.VIEWER)
    ground.probe.watch = keep
    ground.leave(ground.link)
    yield from ground.probe.pause(ALARMED_MS, channel=1)
    yield from ground.reach(Stage.LINKED)
    true("the alarm of the lost link at a viewer", any(one.interlock == LINK for one in told), "at least one", told)
    records = yield from records_from(ground, head)
    noted = [(one.code, one.state) for one in records if isinstance(one, R.AlarmChanged)]
    equal("changes of alarms that were told, in the journal", [(one.code, one.state) for one in told], noted)
    yield from alarms_are_as_noted(ground, records)


ALARMED_MS: Final = 1_000
"""Time for a viewer to hear of an alarm."""


def listed_alarms(ground: Ground) -> Steps[list[M.AlarmListDone]]:
    """Ask for all alarms that are not inactive."""
    found: list[M.AlarmListDone] = []
    while True:
        entry = done((yield from ground.ask(M.AlarmList(index=len(found)))), M.AlarmListDone)
        if len(found) >= entry.count:
            return found
        found.append(entry)


def alarms_are_as_noted(ground: Ground, records: list[R.Record]) -> Steps[None]:
    """See that the list of alarms has each one as the last of its records says."""
    last = {one.code: one.state for one in records if isinstance(one, R.AlarmChanged)}
    states = {one.code: one.state for one in (yield from listed_alarms(ground))}
    for code, state in last.items():
        equal(f"the state of MC-{code:04}, noted and listed", state, states.get(code, AlarmState.INACTIVE))


# --- closing ------------------------------------------------------------------------------------------------------


def _close_differs(ground: Ground, name: str) -> Steps[None]:
    answer = yield from ground.ask(ground.closing(CloseReason.COMPLETED, **{name: 1}))
    said = refused(answer, Code.E_INTERLOCK, interlock=COUNT_MISMATCH)
    equal("the numbers in the refusal: the device's, the host's", (0, 1), (said.expected, said.actual))
    yield from ground.look()
    equal("the state after the refusal", S.SESSION_OPEN, ground.state)


def _abandoned(ground: Ground) -> Steps[None]:
    close = ground.closing(CloseReason.ABANDONED, **dict.fromkeys(COUNTS, 77))
    done((yield from ground.ask(close)), M.SessionCloseDone)


def _abandoned_with_cycles(ground: Ground) -> Steps[None]:
    yield from ground.whole_cycle()
    yield from ground.reach(Stage.NUMB)
    yield from _abandoned(ground)
    equal("the state afterwards", S.IDLE, ground.state)


def close_by_records(ground: Ground) -> Steps[dict[str, int]]:
    """Close the session with the counts of its records, which are the device's; returns them."""
    yield from ground.reach(Stage.NUMB)
    records = yield from records_from(ground, ground.session_from)
    counts = fold(records, ground.session_no)
    true("cycles of the session by its records", counts["cycles"] >= 1, "at least 1", counts)
    session_no = ground.session_no
    answer = yield from ground.ask(ground.closing(CloseReason.COMPLETED, **counts))
    closed = done(answer, M.SessionCloseDone)
    equal("the device's counts", {"session_no": session_no, **counts}, closed.as_dict())
    return counts


def _completed_with_a_stop(ground: Ground) -> Steps[None]:
    yield from ground.begin_cycle()
    yield from ground.do(M.Stop())
    counts = yield from close_by_records(ground)
    true("cycles that were aborted", counts["aborted"] >= 1, "at least 1", counts)


def _completed_with_fewer(ground: Ground) -> Steps[None]:
    yield from ground.whole_cycle()
    session_no = ground.session_no
    yield from close_by_records(ground)
    ends = [one for one in (yield from records_from(ground, ground.session_from)) if isinstance(one, R.SessionClosed)]
    equal("the last SESSION_CLOSED in the journal", session_no, ends[-1].session_no if ends else None)
    yield from ground.reach(Stage.ARMED)
    refused((yield from ground.ask(ground.punch())), Code.E_INTERLOCK, interlock=ZONE)


def _one_record_each(ground: Ground) -> Steps[None]:
    """Hold the cycles of the session so far against the journal, however they ended."""
    yield from ground.whole_cycle()
    records = yield from records_from(ground, ground.session_from)
    cycles: dict[int, int] = {}
    mine = False
    for record in records:
        if isinstance(record, R.SessionOpened):
            mine = record.session_no == ground.session_no
        elif isinstance(record, R.Cycle) and mine:
            cycles[record.cycle_no] = cycles.get(record.cycle_no, 0) + 1
    twice = {number: count for number, count in cycles.items() if count != 1}
    equal("cycles with another number of records than one", {}, twice)
    wanted = list(range(min(cycles, default=0), ground.cycle_no + 1))
    equal("cycles of the session in the journal", wanted, sorted(cycles))


def _cases() -> list[Case]:
    opened, placed, motion = Stage.OPEN, Stage.PLACED, Need.MOTION
    made = [
        case("evt.numbers", "records are numbered without a gap", "EVT-2", _numbers, stage=opened),
        case("evt.epoch", "another epoch is refused", "EVT-3", _epoch),
        case("evt.ack-epoch", "an acknowledgement of another epoch is refused", "EVT-7", _ack_epoch),
        case("evt.pages", "pages begin where they are asked to", "EVT-4", _pages, stage=opened),
        case("evt.same", "a record reads the same each time", "EVT-5", _same_each_time, stage=opened),
        case("evt.oldest", "what is no longer there is answered for", "EVT-9", _oldest, motion, stage=opened),
        case("evt.ack", "an acknowledgement moves the tail, never back", "EVT-6", _acknowledge, motion, stage=opened),
        case("evt.ack-beyond", "what is not there cannot be acknowledged", "EVT-7", _ack_beyond, stage=opened),
        case("evt.refusal", "a refusal is noted", "EVT-11", _refusal_is_noted, stage=opened),
        case("evt.abandoned", "ABANDONED is not compared", "EVT-13", _abandoned, stage=opened),
    ]
    for name in COUNTS:
        run = partial(_close_differs, name=name)
        made.append(case(f"evt.close-{name}", f"a close with another {name}", "EVT-12", run, stage=opened))
    made += [
        case(
            "evt.alarm", "an alarm is told and in the journal", "EVT-10", _alarm_is_told, Need.SECOND, stage=Stage.ARMED
        ),
        case("evt.one-record", "each cycle has one record", "EVT-1", _one_record_each, stage=placed),
        case(
            "evt.abandoned-cycles",
            "ABANDONED is not compared where there are cycles",
            "EVT-13",
            _abandoned_with_cycles,
            stage=placed,
        ),
        case(
            "evt.completed",
            "COMPLETED with fewer cores than the target, and the next session",
            "EVT-14 EVT-12 CYC-20 CYC-21",
            _completed_with_fewer,
            stage=placed,
        ),
        case(
            "evt.completed-stopped",
            "COMPLETED with a cycle that was stopped",
            "EVT-12 EVT-14",
            _completed_with_a_stop,
            stage=placed,
        ),
    ]
    return made


CASES: Final = tuple(_cases())
