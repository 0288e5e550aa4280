"""docs/first-contact.md is what the code makes of it, and what its prose says in figures is so."""

import json
import re
from typing import Final

from firmware_sim.commands.queries import RECORDS_PER_PAGE
from firmware_sim.memory.journal import JOURNAL_RESERVE, JOURNAL_SLOTS
from firmware_sim.model.interlocks import ALARMS
from firmware_sim.model.parameters import PARAMETERS, Parameters
from protocols.language.alarm_codes import LINK_LOST
from protocols.language.checksum import crc32c
from protocols.language.enums import CloseReason, Code, Ending, NeedleOutcome, RecordKind
from protocols.language.interlocks import COUNT_MISMATCH
from protocols.language.messages import HostHeartbeat
from protocols.language.messages.procedure import MAX_COVERAGE_BP, MIN_COVERAGE_BP
from protocols.language.units import MILLISECOND
from protocols.link.header import REPLAYED, RETRANSMIT
from protocols.link.requests import BACKOFF, FIRST_RTO_US, MAX_TRIES
from tests.architecture.docs.first_contact import PARTS, PATH, page
from tests.architecture.docs.first_contact_run import course
from tests.architecture.tree import ROOT

TEXT: Final = PATH.read_text(encoding="utf-8")
PROSE: Final = " ".join(re.sub(r"<!-- made: .*?<!-- end -->", "", TEXT, flags=re.DOTALL).split())


def test_the_page_is_up_to_date() -> None:
    assert page() == TEXT, "run: python -m tests.architecture.docs.generate_docs"


def test_every_part_is_used_once() -> None:
    assert sorted(re.findall(r"<!-- made: (\S+) -->", TEXT)) == sorted(PARTS)


def test_its_session_is_the_same_each_time() -> None:
    again = course.__wrapped__()
    assert again == course()
    assert "closed and reconciled" in again.report


def test_sizes() -> None:
    assert f"send it the {len(course().pieces[0].data)} bytes above" in PROSE


def test_checksum_and_retry() -> None:
    assert crc32c(b"123456789") == 0xE3069283 and "0xE3069283" in TEXT
    assert FIRST_RTO_US == 200 * MILLISECOND and "answer after 200 ms" in PROSE
    assert BACKOFF == 1.5 and "half as long again" in PROSE
    assert MAX_TRIES == 5 and "five tries in all" in PROSE
    assert f"RETRANSMIT (0x{RETRANSMIT:02x})" in PROSE and f"REPLAYED (0x{REPLAYED:02x})" in PROSE
    assert f"id 0x{HostHeartbeat.ID:04x}" in PROSE


def test_counting() -> None:
    assert f"{JOURNAL_SLOTS:,} slots PUNCH wants {JOURNAL_RESERVE} free" in PROSE
    assert RECORDS_PER_PAGE == 6 and "six records a page" in PROSE
    assert RecordKind.CYCLE.value == 1 and "CYCLE record (kind 1)" in PROSE
    assert [Ending.COMPLETED, Ending.ABORTED, Ending.AMBIGUOUS] == [1, 2, 3]
    assert (NeedleOutcome.NOT_PUNCTURED, NeedleOutcome.COUNTED) == (0, 1)
    assert CloseReason.ABANDONED.value == 3 and "reason 3 (ABANDONED)" in PROSE
    assert f"interlock {COUNT_MISMATCH}" in PROSE


def test_alarm_plan_and_parameters() -> None:
    assert ALARMS[LINK_LOST].label in PROSE and ALARMS[LINK_LOST].latched
    assert f"coverage {MIN_COVERAGE_BP} to {MAX_COVERAGE_BP}" in PROSE
    rows = {parameter.name: parameter for parameter in PARAMETERS}
    named = re.findall(r"--param (\w+)=(\d+)", PROSE)
    assert {name for name, _ in named} >= {"anesthesia_wait_s", "lease_armed_ms", "lease_idle_ms"}
    Parameters({name: float(value) for name, value in named})
    assert rows["lease_armed_ms"].zero_is_off and rows["lease_idle_ms"].zero_is_off


def test_every_refusal_has_its_remedy_on_the_page() -> None:
    for code in set(Code) - {Code.OK, Code.UNKNOWN}:
        assert f"| `{code.name}` |" in TEXT


def test_its_vectors_are_there() -> None:
    (path,) = set(re.findall(r"protocols/published/vectors/\w+\.json", PROSE))
    vectors = json.loads((ROOT / path).read_text(encoding="utf-8"))
    assert vectors["frames"] and vectors["streams"]
    assert {"bad frame", "message"} <= {vector["outcome"] for vector in vectors["frames"]}


def test_it_stays_short() -> None:
    prose = re.sub(r"```.*?```", "", re.sub(r"<!-- made: .*?<!-- end -->", "", TEXT, flags=re.DOTALL), flags=re.DOTALL)
    assert len(prose.splitlines()) <= 3 * 55
