"""Topics: which ids get into one, and which client a Response Topic is of."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.language.errors import ProtocolError
from protocols.mqtt.bodies import BY_NAME
from protocols.mqtt.topics import MAX_ID_BYTES, DeviceTopics, TopicError, check_id, topic_name
from protocols.mqtt.wire import COMMANDS

TOPICS = DeviceTopics("bench", "sim-7")
UNFIT = {
    "empty": ("", "it is empty"),
    "any level": ("+", "one of + # / $"),
    "any levels": ("#", "one of + # / $"),
    "a wildcard within": ("sim-+", "one of + # / $"),
    "two levels": ("sim/7", "one of + # / $"),
    "a level of nothing": ("/", "one of + # / $"),
    "the broker's own": ("$SYS", "one of + # / $"),
    "dollars within": ("a$b", "one of + # / $"),
    "NUL": ("sim\0", "control character"),
    "an escape": ("\x1b[2J", "control character"),
    "a line end": ("sim\n7", "control character"),
    "delete": ("sim\x7f", "control character"),
    "C1": ("sim\x85", "control character"),
    "a space": ("sim 7", "white space"),
    "a space that nobody sees": ("sim\u00a07", "white space"),
    "right to left": ("sim\u202e7", "control character"),
    "no width": ("sim\u200b7", "control character"),
    "half a surrogate pair": ("\ud800", "control character"),
    "65 bytes": ("x" * (MAX_ID_BYTES + 1), "more than 64 bytes"),
    "33 letters of two bytes": ("ä" * 33, "more than 64 bytes"),
    "a mebibyte": ("x" * (1 << 20), "more than 64 bytes"),
}
FIT = [
    "sim-7",
    "x",
    ".",
    "-",
    "_",
    "7",
    "ward.3",
    "x" * MAX_ID_BYTES,
    "ä" * 32,
    "Gerät-ß",
    "东京",
    "a%2Fb",
    "a:b",
    "{client}",
]

ids = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="+#/$"), min_size=1, max_size=16)


def _is_fit(text: str) -> bool:
    try:
        return check_id("id", text) == text
    except TopicError:
        return False


@pytest.mark.parametrize("text", FIT)
def test_what_can_be_a_level(text: str) -> None:
    assert check_id("device", text) == text
    assert DeviceTopics(text, text, text).base == f"{text}/v1/{text}/{text}/"


@pytest.mark.parametrize(("text", "reason"), UNFIT.values(), ids=UNFIT)
def test_what_cannot(text: str, reason: str) -> None:
    for part in ("site", "device", "root"):
        with pytest.raises(TopicError) as caught:
            DeviceTopics(**{"site": "bench", "device": "sim-7", part: text})
        error = caught.value
        assert isinstance(error, ProtocolError) and (error.part, error.text) == (part, text[:MAX_ID_BYTES])
        assert reason in error.reason
        assert str(error).isprintable() and len(str(error)) < 400, "one line, however long the id is"


@pytest.mark.parametrize(("text", "_"), UNFIT.values(), ids=UNFIT)
def test_no_client_of_what_cannot(text: str, _: str) -> None:
    assert TOPICS.client_of(f"{TOPICS.base}reply/{text}") is None


def test_topics_of_a_device() -> None:
    assert TOPICS.base == "handpiece/v1/bench/sim-7/"
    assert TOPICS.of("status") == "handpiece/v1/bench/sim-7/status"
    assert DeviceTopics("a", "b", "c").of("command", "+") == "c/v1/a/b/command/+"
    assert TOPICS.parse("handpiece/v1/bench/sim-7/command/punch") == ("command", "punch")
    assert TOPICS.parse("handpiece/v1/bench/sim-7/command/") == ("command", "")
    assert TOPICS.parse("handpiece/v1/bench/sim-7/") == ("",)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "/",
        "handpiece/v1/bench/sim-7",
        "handpiece/v1/bench/sim-70/status",
        "handpiece/v1/bench/sim-/7status",
        "handpiece/v2/bench/sim-7/status",
        "handpiece/v1/ward/sim-7/status",
        "Handpiece/v1/bench/sim-7/status",
        "/handpiece/v1/bench/sim-7/status",
        "$share/x/handpiece/v1/bench/sim-7/status",
    ],
)
def test_topics_of_others(topic: str) -> None:
    assert TOPICS.parse(topic) is None
    assert TOPICS.client_of(topic) is None


def test_clients() -> None:
    assert TOPICS.client_of(TOPICS.of("reply", "host-1")) == "host-1"
    for levels in (("reply",), ("reply", ""), ("reply", "a", "b"), ("heartbeat", "host-1"), ("Reply", "host-1")):
        assert TOPICS.client_of(TOPICS.of(*levels)) is None
    assert TOPICS.client_of(None) is None


def test_names_of_messages() -> None:
    assert (topic_name("Punch"), topic_name("SessionOpen"), topic_name("Hello")) == ("punch", "session_open", "hello")
    names = [topic_name(name) for name in BY_NAME]
    assert len(set(names)) == len(BY_NAME) and all(re.fullmatch("[a-z]+(_[a-z]+)*", name) for name in names)
    assert set(COMMANDS) <= set(names)
    for name, model in COMMANDS.items():
        assert topic_name(model.__name__) == name


@given(site=ids, device=ids, root=ids, levels=st.lists(ids, min_size=1, max_size=3))
def test_a_topic_reads_as_it_was_made(site: str, device: str, root: str, levels: list[str]) -> None:
    topics = DeviceTopics(site, device, root)
    topic = topics.of(*levels)
    assert topics.parse(topic) == tuple(levels)
    assert len(topic.encode()) <= 65_535 and not set("+#\0") & set(topic)


@given(st.tuples(ids, ids, ids), st.tuples(ids, ids, ids))
def test_no_two_devices_share_a_topic(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    if one != other:
        assert DeviceTopics(*one).parse(DeviceTopics(*other).of("status")) is None


@given(st.text(max_size=80))
def test_any_text_is_an_id_or_a_topic_error(text: str) -> None:
    fit = _is_fit(text)
    assert not fit or not set("+#/$ \0\n") & set(text)
    assert (TOPICS.client_of(TOPICS.of("reply", text)) == text) is fit
