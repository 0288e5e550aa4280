"""Judge of acknowledgement: nothing is acknowledged before its commit, and nothing shown is taken back.

The journal's tail follows the controller's acknowledgements alone. A boot, a head, a tail and a cycle number that were
shown once are never lower again, whatever power is lost.
"""

from typing import Final

from devicectl.campaign.judges.ledgers import Ledgers
from devicectl.campaign.judges.reading import Found, Noted, Reading, Said
from devicectl.campaign.judges.records import cycles

_SHOWN: Final = {
    "Welcome": {"boot": "boot_count", "head": "journal_head", "tail": "journal_tail", "cycle": "cycle_no"},
    "Heartbeat": {"head": "journal_head", "cycle": "cycle_no"},
    "JournalPage": {"head": "head", "tail": "tail"},
    "PunchDone": {"cycle": "cycle_no"},
    "CountDone": {"cycle": "cycle_no"},
}
"""Message -> what never goes back -> its field."""

_DONE: Final = {"PunchDone": 1, "SuctionDone": 2, "AdvanceDone": 3}
"""Message -> number of the phase that it says is done."""


def judge(reading: Reading) -> Found:
    """Hold each JOURNAL_ACK, as it was sent, against the log at that place, and each mark against those before it."""
    return judge_commits(reading) + judge_tails(reading) + judge_marks(reading)


def judge_commits(reading: Reading) -> Found:
    """Hold each JOURNAL_ACK against the commits before it.

    While no session is open all records belong to closed ones: a host may acknowledge them before it opens its own.
    """
    found: Found = []
    committed: dict[int, int] = {}  # by the epoch
    without_session: set[int] = set()  # links
    welcomes = [said for said in reading.device_sent if said.frame.name == "Welcome"]
    entries: list[Said | Noted] = [*reading.of("commit"), *welcomes, *reading.host_sent]
    for entry in sorted(entries, key=lambda entry: entry.place):
        if isinstance(entry, Noted):
            epoch = entry.event["epoch"]
            committed[epoch] = max(entry.event["upto"], committed.get(epoch, 0))
            continue
        name, link, fields = entry.frame.name, entry.frame.link_id, entry.frame.fields
        if name == "Welcome" and not fields["session_no"]:
            without_session.add(fields["link_id"])
        elif name == "SessionOpen":
            without_session.discard(link)
        elif name == "JournalAck" and link not in without_session:
            upto, logged = fields["upto"], committed.get(fields["epoch"], 0)
            if upto > logged:
                found.append((entry.at_us, f"acknowledged up to {upto}, while the log ends at {logged}"))
    return found


def judge_tails(reading: Reading) -> Found:
    """Hold the tail of each page and WELCOME against what the device has heard to be acknowledged."""
    acks = [said for said in reading.device_heard if said.frame.name == "JournalAck"]
    found: Found = []
    place, most, tail = 0, 0, 0
    for said in reading.device_sent:
        while place < len(acks) and acks[place].place < said.place:
            most, place = max(most, acks[place].frame.fields["upto"]), place + 1
        name = _SHOWN.get(said.frame.name, {}).get("tail")
        if name is not None and not said.frame.replayed:
            tail = said.frame.fields[name]
            if tail > max(most, 1):
                found.append((said.at_us, f"the tail is {tail}, while {most} is all that was acknowledged"))
    return found


def judge_marks(reading: Reading) -> Found:
    """Hold each number that never goes back against the greatest that was shown before."""
    found: Found = []
    shown: dict[str, int] = {}
    for said in reading.device_sent:
        # An answer that is given again has the marks of when it was first said.
        if not said.frame.replayed:
            _note(said, shown, found)
    return found


def _note(said: Said, shown: dict[str, int], found: Found) -> None:
    for mark, name in _SHOWN.get(said.frame.name, {}).items():
        value, before = said.frame.fields[name], shown.get(mark, 0)
        if value < before:
            found.append((said.at_us, f"the {mark} went back from {before} to {value} in {said.frame.name}"))
        shown[mark] = max(value, before)


def judge_ledgers(reading: Reading, ledgers: Ledgers) -> Found:
    """Hold the phase in which a row says that a cycle has ended against the phases of it that were told to be done."""
    done: dict[int, int] = {}
    for said in reading.device_sent:
        phase = _DONE.get(said.frame.name)
        if phase is not None:
            number = said.frame.fields["cycle_no"]
            done[number] = max(phase, done.get(number, 0))
    return [
        (reading.end_us, f"cycle {cycle.cycle_no} was told to have done phase {shown}, its row ends in {cycle.phase}")
        for cycle in cycles(ledgers.rows, ledgers.first_cycle_no)
        if cycle.phase < (shown := done.get(cycle.cycle_no, 0))
    ]
