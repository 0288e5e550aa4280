"""Relations between constants that live in different modules: each is sound by itself, and must fit the others."""

import pytest

from devicectl.cli import arguments
from devicectl.session import journal as host_journal
from devicectl.session import link as host_link
from devicectl.session import plan, steps
from devicectl.session.operators import automatic
from devicectl.transports import mqtt, simulated
from firmware_sim.board import board
from firmware_sim.commands import queries
from firmware_sim.memory import journal
from firmware_sim.model import constants
from firmware_sim.model.interlocks import ALARMS, INTERLOCKS
from firmware_sim.serve import announcement, options
from protocols.language import alarm_codes, fields, records
from protocols.language.enums import Kind
from protocols.language.layouts import layout
from protocols.language.message import REGISTRY
from protocols.language.messages import JournalPage, procedure
from protocols.language.units import MILLISECOND, SECOND
from protocols.link import answers, pace, requests
from protocols.link.header import HEADER_SIZE
from protocols.mqtt import broker
from protocols.serial import framing

DEFAULTS = {parameter.name: parameter.default for parameter in constants.PARAMETERS}


def patience_us(tries: int = requests.MAX_TRIES, first_us: float = requests.FIRST_RTO_US) -> float:
    """How long a request waits in all before its link counts as lost."""
    return sum(first_us * requests.BACKOFF**attempt for attempt in range(tries))


@pytest.mark.parametrize("when", ["armed", "idle"])
def test_two_heartbeats_may_be_lost_within_a_lease(when: str) -> None:
    assert DEFAULTS[f"lease_{when}_ms"] > 2 * DEFAULTS[f"heartbeat_{when}_ms"]


def test_pace_before_welcome_is_the_devices_idle_pace() -> None:
    assert pace.IDLE_PACE.heartbeat_us == DEFAULTS["heartbeat_idle_ms"] * MILLISECOND
    assert pace.IDLE_PACE.lease_us == DEFAULTS["lease_idle_ms"] * MILLISECOND


def test_five_tries_fit_the_idle_lease() -> None:
    assert patience_us() < pace.IDLE_PACE.lease_us


def test_a_punch_outlives_its_own_tries() -> None:
    assert patience_us() < steps.PUNCH_DEADLINE_MS * MILLISECOND


def test_a_retry_finds_its_answer() -> None:
    assert sum(requests.WINDOWS.values()) < answers.REMEMBERED


def test_a_transport_may_return_within_an_idle_lease() -> None:
    assert pace.IDLE_PACE.lease_us > host_link.CONNECT_TIMEOUT_US


MOST_UNTIL_TOLD_S = 5.0
"""Whoever a broker keeps out, by whatever means, is told so within this."""


def test_who_is_kept_out_by_a_broker_is_told_in_time() -> None:
    """From the first step towards it, however its time is spent, and the last word to it."""
    assert 2 * broker.CONNECT_TIMEOUT_S <= broker.TIMEOUT_S, "the connection and TLS, which nothing breaks off"
    assert broker.TIMEOUT_S + broker.LAST_WORD_TIMEOUT_S < MOST_UNTIL_TOLD_S


def test_what_a_host_waits_for_one_after_the_other_is_told_in_time() -> None:
    """Where the broker answers at once, and it is the device that does not."""
    waits_s = (mqtt.BIRTH_TIMEOUT_S, mqtt.HELLO_TIMEOUT_S, mqtt.HEARTBEAT_TIMEOUT_S, broker.LAST_WORD_TIMEOUT_S)
    assert sum(waits_s) < MOST_UNTIL_TOLD_S


def test_a_broker_that_keeps_an_end_out_says_so_before_the_exchange_gives_up() -> None:
    assert patience_us() > mqtt.HELLO_TIMEOUT_S * SECOND > patience_us(requests.MAX_TRIES - 1), "each try was made"
    time_to_say_it_s = 0.2
    assert patience_us(first_us=requests.MIN_RTO_US) > (mqtt.HEARTBEAT_TIMEOUT_S + time_to_say_it_s) * SECOND


def test_journal_reserve_is_a_small_part_of_the_ring() -> None:
    assert journal.JOURNAL_RESERVE * 8 <= journal.JOURNAL_SLOTS


def test_host_reads_the_journal_long_before_it_is_full() -> None:
    most_between_reads = steps.MAX_UNREAD_CYCLES + steps.MAX_UNLOGGED
    assert most_between_reads * 4 <= journal.JOURNAL_SLOTS - journal.JOURNAL_RESERVE


def test_refusals_leave_more_than_the_reserve() -> None:
    assert board.REFUSALS_KEEP_FREE >= journal.JOURNAL_RESERVE


def test_a_page_of_records_fits_a_frame() -> None:
    page = layout(JournalPage)
    for size in (fields.MIN_MAX_PAYLOAD_SIZE, fields.MAX_PAYLOAD_SIZE):
        per_page = queries.records_per_page(size)
        assert 0 < page.size + per_page * records.RECORD_SIZE <= size < page.size + (per_page + 1) * records.RECORD_SIZE
    assert queries.records_per_page(fields.MAX_PAYLOAD_SIZE) == queries.RECORDS_PER_PAGE
    assert queries.RECORDS_PER_PAGE == host_journal.RECORDS_PER_PAGE


def test_every_message_of_one_size_fits_what_any_host_takes() -> None:
    told = [model for model in REGISTRY.values() if model.KIND is not Kind.COMMAND]  # commands are what a host sends
    assert max(layout(model).size for model in told) == fields.MIN_MAX_PAYLOAD_SIZE
    tails = {model.__name__ for model in REGISTRY.values() if layout(model).tail is not None}
    assert tails == {"Echo", "EchoDone", "Event", "JournalPage", "SessionOpen"}, "a device keeps what it sends short"


def test_payload_length_fits_its_byte_and_a_frame_one_cobs_block() -> None:
    assert fields.MAX_PAYLOAD_SIZE <= 0xFF
    unstuffed = HEADER_SIZE + fields.MAX_PAYLOAD_SIZE + framing.CRC_SIZE
    assert unstuffed <= 254, "COBS then costs one byte, always"
    assert unstuffed + 1 == framing.MAX_ENCODED_SIZE


def test_a_device_is_never_asked_to_beat_faster_than_the_least() -> None:
    least_ms = next(row.minimum for row in constants.PARAMETERS if row.name == "heartbeat_armed_ms")
    assert least_ms * MILLISECOND >= pace.MIN_HEARTBEAT_US


def test_a_plan_is_not_refused_for_a_device_that_could_do_it() -> None:
    most = next(row.maximum for row in constants.PARAMETERS if row.name == "density_cap_per_cm2")
    assert most == plan.MAX_PUNCTURES_PER_CELL


def test_a_host_looks_for_the_device_where_exec_says_it_is() -> None:
    assert arguments.URL_VARIABLE == announcement.URL_VARIABLE


def test_both_ends_allow_the_same_coverage() -> None:
    assert procedure.MIN_COVERAGE_BP == plan.MIN_COVERAGE_PERCENT * 100
    assert procedure.MAX_COVERAGE_BP == plan.MAX_COVERAGE_PERCENT * 100


def test_numbness_outlasts_its_onset_and_a_session() -> None:
    normal_session_s = 1_811
    assert DEFAULTS["anesthesia_valid_s"] > DEFAULTS["anesthesia_wait_s"] + normal_session_s


def test_a_cartridge_outlasts_a_session() -> None:
    normal_cycles = 3_408
    assert normal_cycles < DEFAULTS["cartridge_warn_cycles"] < DEFAULTS["cartridge_life_cycles"]


def test_a_clog_alone_never_warns_of_a_mismatch() -> None:
    assert DEFAULTS["clog_empties"] < DEFAULTS["count_warn"] < DEFAULTS["count_stop"] < DEFAULTS["count_window"]


def test_operator_waits_for_suction_longer_than_it_must_be_stable() -> None:
    assert automatic.SUCTION_WAIT_US > DEFAULTS["vacuum_stable_s"] * SECOND > automatic.SUCTION_POLL_US


def test_a_lost_link_retracts_within_its_limit() -> None:
    retract_limit_ms = 150
    whole_limit_ms = 800
    assert DEFAULTS["retract_ms"] <= retract_limit_ms
    assert DEFAULTS["lease_armed_ms"] + retract_limit_ms <= whole_limit_ms


def test_both_ends_take_the_same_seeds() -> None:
    assert simulated.MAX_SEED == options.MAX_SEED


def test_alarms_belong_to_interlocks_that_are_built() -> None:
    assert all(INTERLOCKS[rule.interlock].built for rule in ALARMS.values())
    assert alarm_codes.COUNT_STOPPED in ALARMS
