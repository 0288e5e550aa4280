"""URLs of a device behind a broker, right and wrong, at both ends."""

import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devicectl.cli import call as devicectl
from firmware_sim.cli import call as firmware_sim
from protocols.mqtt.broker_url import BrokerUrl, BrokerUrlError, parse_broker_url, parse_credentials
from protocols.mqtt.topics import DeviceTopics, TopicError
from protocols.text.names import one_form

TOPICS = DeviceTopics("bench", "sim-7")
RIGHT: dict[str, dict[str, Any]] = {
    "mqtt://h/bench/sim-7": {"host": "h", "port": 1883},
    "MQTT://h/bench/sim-7": {"host": "h", "port": 1883},
    "mqtt://h:1/bench/sim-7": {"host": "h", "port": 1},
    "mqtt://127.0.0.1:65535/bench/sim-7": {"host": "127.0.0.1", "port": 65535},
    "mqtt://[::1]/bench/sim-7": {"host": "::1", "port": 1883},
    "mqtt://[fe80::1%eth0]:7/bench/sim-7": {"host": "fe80::1%eth0", "port": 7},
    "mqtts://h/bench/sim-7": {"host": "h", "port": 8883, "tls": True},
    "mqtt://h/bench/sim-7?credentials=a+b@c": {"host": "h", "port": 1883, "credentials": "a+b@c"},
    "mqtt://h/b%3D/7": {"host": "h", "port": 1883, "topics": DeviceTopics("b=", "7")},
    "mqtt://h/b%40nch/7": {"host": "h", "port": 1883, "topics": DeviceTopics("b@nch", "7")},
    "mqtt://h/bench/sim-7?credentials=a%20b": {"host": "h", "port": 1883, "credentials": "a b"},
    "mqtts://h/bench/sim-7?ca=c.pem": {"host": "h", "port": 8883, "tls": True, "ca": "c.pem"},
    "mqtts://h/bench/sim-7?cert=c&key=k": {"host": "h", "port": 8883, "tls": True, "cert": "c", "key": "k"},
    "mqtt://h/bench/sim-7?root=ours": {"host": "h", "port": 1883, "topics": DeviceTopics("bench", "sim-7", "ours")},
    "ws://h/bench/sim-7": {"host": "h", "port": 80, "path": "/mqtt"},
    "ws://h:9001/bench/sim-7?path=/a/b": {"host": "h", "port": 9001, "path": "/a/b"},
    "wss://h/bench/sim-7?ca=c.pem": {"host": "h", "port": 443, "tls": True, "ca": "c.pem", "path": "/mqtt"},
    "mqtt://h/b%C3%A4nk/7": {"host": "h", "port": 1883, "topics": DeviceTopics("bänk", "7")},
    f"mqtt://h/bench/{'x' * 64}": {"host": "h", "port": 1883, "topics": DeviceTopics("bench", "x" * 64)},
}
LONG = "x" * 65
WRONG = {
    # ids, each of the three
    "mqtt://h/+/sim-7": ("site", "one of + # / $"),
    "mqtt://h/bench/+": ("device", "one of + # / $"),
    "mqtt://h/bench/sim+7": ("device", "one of + # / $"),
    "mqtt://h/bench/%23": ("device", "one of + # / $"),
    "mqtt://h/%23/sim-7": ("site", "one of + # / $"),
    "mqtt://h/bench/a%2Fb": ("device", "one of + # / $"),
    "mqtt://h/$SYS/broker": ("site", "one of + # / $"),
    "mqtt://h/bench/%24x": ("device", "one of + # / $"),
    "mqtt://h/bench/a%00b": ("device", "control character"),
    "mqtt://h/%00/sim-7": ("site", "control character"),
    "mqtt://h/bench/a%0Ab": ("device", "control character"),
    "mqtt://h/bench/a%20b": ("device", "white space"),
    "mqtt://h/bench/%E2%80%AE": ("device", "control character"),
    f"mqtt://h/bench/{LONG}": ("device", "more than 64 bytes"),
    f"mqtt://h/{LONG}/sim-7": ("site", "more than 64 bytes"),
    f"mqtt://h/bench/{'%C3%A4' * 33}": ("device", "more than 64 bytes"),
    f"mqtt://h/bench/{LONG * 1000}": ("device", "more than 64 bytes"),
    "mqtt://h/bench/sim-7?root=%2B": ("root", "one of + # / $"),
    "mqtt://h/bench/sim-7?root=a/b": ("root", "one of + # / $"),
    "mqtt://h/bench/sim-7?root=%24SYS": ("root", "one of + # / $"),
    f"mqtt://h/bench/sim-7?root={LONG}": ("root", "more than 64 bytes"),
    "mqtt://h/bench/sim-7?root=": ("root", "it is empty"),
    "mqtt://h/bench/sim-7?root=a+b": ("root", "one of + # / $"),
    "mqtt://h/bench/sim-7?root=a%20b": ("root", "white space"),
    "mqtt://h/bench/#": ("fragment", "no id may have one"),
    "mqtt://h/bench/sim-7#": ("fragment", "no id may have one"),
    # path
    "mqtt://h": ("path", "/site/device"),
    "mqtt://h/": ("path", "/site/device"),
    "mqtt://h/bench": ("path", "/site/device"),
    "mqtt://h/bench/": ("path", "/site/device"),
    "mqtt://h//sim-7": ("path", "/site/device"),
    "mqtt://h/bench//sim-7": ("path", "/site/device"),
    "mqtt://h/bench/sim-7/": ("path", "/site/device"),
    "mqtt://h/a/b/c": ("path", "/site/device"),
    "mqtt://h/bench/sim-7password=hunter2": ("path", "options follow a ?"),
    # host and port
    "mqtt:///bench/sim-7": ("host", "no host is named"),
    "mqtt://:1883/bench/sim-7": ("host", "no host is named"),
    "mqtt://::1/bench/sim-7": ("host", "brackets"),
    "mqtt://::1]/bench/sim-7": ("host", "brackets"),
    "mqtt://a%00b/bench/sim-7": ("host", "it is no host name"),
    "mqtt://a%1Bb/bench/sim-7": ("host", "it is no host name"),
    "mqtt://[::1/bench/sim-7": ("host", "brackets"),
    "mqtt://a%20b/bench/sim-7": ("host", "is no host name"),
    "mqtt://a%3A99/bench/sim-7": ("host", "is no host name"),
    "mqtt://broker..example/bench/sim-7": ("host", "is no host name"),
    "mqtt://.example/bench/sim-7": ("host", "is no host name"),
    f"mqtt://{'a' * 64}.example/bench/sim-7": ("host", "is no host name"),
    f"mqtt://{'a.' * 127}/bench/sim-7": ("host", "is no host name"),
    f"mqtts://{'a' * 300}:1/bench/sim-7": ("host", "is no host name"),
    "mqtt://h:/bench/sim-7": ("port", "1 to 65535"),
    "mqtt://h:0/bench/sim-7": ("port", "1 to 65535"),
    "mqtt://h:65536/bench/sim-7": ("port", "1 to 65535"),
    "mqtt://h:-1/bench/sim-7": ("port", "1 to 65535"),
    "mqtt://h:+1/bench/sim-7": ("port", "1 to 65535"),
    "mqtt://h:1e3/bench/sim-7": ("port", "1 to 65535"),
    "mqtt://h:%31/bench/sim-7": ("port", "1 to 65535"),
    # users, whose passwords are not told
    "mqtt://me:hunter2@h/bench/sim-7": ("user", "credentials=FILE"),
    "mqtt://me@h/bench/sim-7": ("user", "credentials=FILE"),
    "mqtt://me:hun/ter2@h/bench/sim-7": ("user", "credentials=FILE"),
    "mqtt://me:18/hunter2@h/sim-7": ("user", "written %40"),
    "mqtt://me:18/hun#ter2@h/sim-7": ("user", "written %40"),
    # options
    "mqtt://h/bench/sim-7?qos=2": ("options", "number 1 is not known here"),
    "mqtt://h/bench/sim-7?root": ("options", "name=value"),
    "mqtt://h/bench/sim-7?root=a&root=b": ("options", "root is given twice"),
    "mqtt://h/bench/sim-7?" + "&".join(f"a{n}=1" for n in range(150)): ("options", "name=value"),
    "mqtt://h/bench/sim-7?credentials=": ("credentials", "no file is named"),
    "mqtt://h/bench/sim-7?credentials=a%00b": ("credentials", ""),
    "mqtt://h/bench/sim-7?ca=ca.pem": ("ca", "mqtts://"),
    "mqtts://h/bench/sim-7?cert=c": ("cert", "come together"),
    "ws://h/bench/sim-7?ca=ca.pem": ("ca", "wss://"),
    "mqtt://h/bench/sim-7?path=/mqtt": ("path", "for ws:// and wss://"),
    "ws://h/bench/sim-7?path=mqtt": ("path", "begins with /"),
    "ws://h/bench/sim-7?path=/m%20q": ("path", "begins with /"),
    "ws://h/bench/sim-7?path=/%C3%A4": ("path", "ASCII alone"),
    "mqtts://h/bench/sim-7?key=k": ("cert", "come together"),
}
NO_TEXT = ["mqtt://h/be\nnch/sim-7", "mqtt://h/bench/sim\t-7", "mqtt://h/bench/\x1b[2J", "mqtt://h/bench/\udcff"]


@pytest.mark.parametrize("text", RIGHT)
def test_right_urls(text: str) -> None:
    found = parse_broker_url(text)
    assert found == BrokerUrl(**{"topics": TOPICS} | RIGHT[text])
    assert parse_broker_url(str(found)) == found


@pytest.mark.parametrize("text", WRONG, ids=[text[:50] for text in WRONG])
def test_wrong_urls(text: str) -> None:
    part, said = WRONG[text]
    with pytest.raises(BrokerUrlError) as caught:
        parse_broker_url(text)
    assert caught.value.part == part and said in caught.value.reason
    assert str(caught.value).isprintable() and len(str(caught.value)) < 300 and "hunter2" not in str(caught.value)


@pytest.mark.parametrize("text", NO_TEXT)
def test_what_cannot_be_printed_is_not_left_out(text: str) -> None:
    with pytest.raises(BrokerUrlError, match="cannot be printed"):
        parse_broker_url(text)


@pytest.mark.parametrize("text", [*WRONG, *NO_TEXT], ids=[ascii(text[:50]) for text in (*WRONG, *NO_TEXT)])
def test_either_end_says_so_in_one_line(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, before anything is opened."""
    monkeypatch.chdir(tmp_path)
    ends: dict[str, Callable[[], int]] = {
        "firmware-sim": lambda: firmware_sim(["serve", "--mqtt", text]),
        "devicectl": lambda: devicectl(["run", "--log", "log.sqlite", "--device", text]),
    }
    for name, call in ends.items():
        code = call()
        said = capsys.readouterr()
        assert (code, said.out) == (2, ""), said.err
        assert said.err.endswith("\n") and said.err[:-1].isprintable() and said.err.startswith(f"{name}: ")
        assert "/bench/sim-7" in said.err.rpartition("for example ")[2], "and shows a right one"
        assert "hunter2" not in said.err and len(said.err) < 500
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text", ["", "mqtt", "mqtt:", "http://h/bench/sim-7", "mqt://h/a/b", "wsx://h/a/b", "tcp://h:1", "//h/bench/sim-7"]
)
def test_another_scheme(text: str) -> None:
    with pytest.raises(BrokerUrlError) as caught:
        parse_broker_url(text)
    assert caught.value.part == "scheme"
    known = text.partition("://")[0] if "://" in text else "another word"
    assert caught.value.reason == f"it begins with mqtt://, mqtts://, ws:// or wss://, not with {known}"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_an_id_has_one_unicode_form(form: Literal["NFC", "NFD"]) -> None:
    site, device, root = (unicodedata.normalize(form, name) for name in ("bänk", "é-7", "würzel"))
    for quoted in (str, quote):
        found = parse_broker_url(f"mqtt://h/{quoted(site)}/{quoted(device)}?root={quoted(root)}")
        assert found.topics == DeviceTopics("bänk", "é-7", "würzel")


def test_a_url_for_others_says_not_who_one_is() -> None:
    given = "mqtts://h:1/bench/sim-7?ca=ca.pem&cert=c.pem&key=k.pem&credentials=me.txt&root=other"
    assert str(parse_broker_url(given).for_others) == "mqtts://h:1/bench/sim-7?ca=ca.pem&root=other"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("me\nsecret\n", ("me", "secret")),
        ("me\nsecret", ("me", "secret")),
        ("me\r\nsecret\r\n", ("me", "secret")),
        (" me \n secret \n\n", ("me", " secret ")),
        ("me", ("me", "")),
        ("me\n\n", ("me", "")),
    ],
)
def test_credentials(text: str, expected: tuple[str, str]) -> None:
    assert parse_credentials(text) == expected


@pytest.mark.parametrize("text", ["", "\n", "  \nsecret", "\nme\nsecret", "me\nsecret\nmore"])
def test_no_credentials(text: str) -> None:
    with pytest.raises(BrokerUrlError, match="two lines") as caught:
        parse_credentials(text)
    assert "secret" not in str(caught.value)


ids = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="+#/$"), min_size=1, max_size=16).map(
    one_form
)
files = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=10)


@given(
    host=st.from_regex(r"[a-z0-9-]{1,9}(\.[a-z0-9-]{1,9}){0,3}\.?", fullmatch=True) | st.ip_addresses().map(str),
    port=st.integers(1, 0xFFFF),
    topics=st.builds(DeviceTopics, ids, ids, ids),
    tls=st.booleans(),
    credentials=st.none() | files,
    own=st.none() | st.tuples(files, files, files),
)
def test_a_url_reads_as_it_is_written(
    host: str,
    port: int,
    topics: DeviceTopics,
    tls: bool,
    credentials: str | None,
    own: tuple[str, str, str] | None,
) -> None:
    ca, cert, key = own if own is not None and tls else (None, None, None)
    url = BrokerUrl(host, port, topics, tls, ca, cert, key, credentials)
    assert parse_broker_url(str(url)) == url


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
@example("h", "[/a/b", "")
@example("[::1]x", "/a/b", "")
@example("h\u2100", "/a/b", "")
def test_any_text_is_a_url_or_an_error(host: str, path: str, query: str) -> None:
    for text in (host + path, f"mqtt://{host}{path}", f"mqtts://{host}/{path}?{query}", f"mqtt://h/a/b?{query}"):
        try:
            found = parse_broker_url(text)
        except BrokerUrlError as error:
            assert str(error).isprintable() and len(str(error)) < 400
        else:
            assert 0 < found.port <= 0xFFFF and found.host
            try:
                DeviceTopics(found.topics.site, found.topics.device, found.topics.root)
            except TopicError as error:
                raise AssertionError(text) from error
