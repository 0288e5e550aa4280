"""Flows behind a broker, held against the table of topics in docs/mqtt.md."""

import re
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from protocols.language import messages as M
from protocols.language.sides import Side
from protocols.mqtt.wire import COMMANDS
from protocols.published.flows import BOTH_SAY, Flow, all_flows, first, telemetry

PAGE: Final = Path(__file__).parents[4] / "docs" / "mqtt.md"


def named_flows() -> dict[str, Flow]:
    return {flow.name: flow for flow in all_flows()}


class Row(NamedTuple):
    """One line of the page's table."""

    topics: tuple[str, ...]
    sender: Side
    qos: set[int]
    retain: bool
    expiry_s: int | None


def rows() -> list[Row]:
    """The table of topics; "QoS 0, the first of a link 1" are both."""
    found = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 5 and cells[1] in ("device", "host"):
            seconds = re.match(r"(\d+) s", cells[3])
            found.append(
                Row(
                    topics=tuple(re.findall(r"`([^`]+)`", cells[0])),
                    sender=Side(cells[1]),
                    qos={int(digit) for digit in re.findall(r"\d", cells[2])},
                    retain="retained" in cells[2] and "never" not in cells[2],
                    expiry_s=None if seconds is None else int(seconds[1]),
                )
            )
    return found


def flows_of(topic: str) -> list[Flow]:
    """The flows whose topic is of such a form: `command/{name}` stands for each of its names."""
    form = re.escape(f"{{root}}/v1/{{site}}/{{device}}/{topic}").replace(r"\{name\}", "[a-z_]+")
    return [flow for flow in named_flows().values() if re.fullmatch(form, flow.publication.topic)]


def test_the_page_has_all_topics() -> None:
    named = {flow.name for row in rows() for topic in row.topics for flow in flows_of(topic)}
    assert named == set(named_flows()) and len(rows()) >= 8


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.topics[0])
def test_each_flow_is_sent_as_the_page_says(row: Row) -> None:
    for topic in row.topics:
        flows = flows_of(topic)
        assert {flow.publication.qos for flow in flows} == row.qos, topic
        for flow in flows:
            publication = flow.publication
            assert (flow.sender, publication.retain, publication.expiry_s) == (row.sender, row.retain, row.expiry_s)


def test_every_command_has_response_topic_and_correlation_data_and_nothing_else_has() -> None:
    for flow in named_flows().values():
        asks = flow.channel.startswith("command")
        assert (flow.publication.response_topic is not None) is asks
        assert (flow.publication.correlation_data is not None) is asks


def test_each_message_of_a_host_has_a_flow_of_its_own() -> None:
    said = {flow.messages for flow in named_flows().values() if flow.channel.startswith("command")}
    assert said == {(BOTH_SAY.get(model, model.__name__),) for model in COMMANDS.values()}


def test_a_motion_may_be_answered_in_six_ways_and_a_query_in_three() -> None:
    assert named_flows()["Arm"].answers == ("ArmDone", "Refused", "Received", "Progress", "Failed", "Aborted", "Nak")
    assert named_flows()["JournalRead"].answers == ("JournalPage", "Refused", "Nak")
    assert named_flows()["Stop"].answers == ("StopDone", "Refused", "Nak")
    assert named_flows()["Hello"].answers == ("Welcome", "Nak")
    assert named_flows()["Bye"].answers == named_flows()["Nak"].answers == named_flows()["HostHeartbeat"].answers == ()


def test_what_answers_no_command_is_named() -> None:
    assert named_flows()["Unsolicited"].messages == ("Alarm", "Event", "Bye", "Nak")
    assert named_flows()["Telemetry"].messages == tuple(model.__name__ for model in telemetry()) == ("TelemetryState",)


def test_what_either_end_says_has_a_name_of_its_own_at_the_host() -> None:
    assert named_flows()["Bye"].messages == ("HostBye",) and named_flows()["Nak"].messages == ("HostNak",)


def test_each_flow_is_told_in_one_line() -> None:
    for flow in named_flows().values():
        assert flow.summary.endswith(".") and "\n" not in flow.summary
    assert first(M.Arm) == "Start the pump. DONE when the vacuum stands below the limit for a new cycle."
