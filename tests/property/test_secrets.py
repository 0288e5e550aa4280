"""A password in a URL that is mistyped comes out nowhere: not on a stream, not in an exception, in no part of it."""

import contextlib
import io
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import NoSuchModuleError

from devicectl.cli import call as devicectl
from devicectl.errors import DevicectlError
from devicectl.log.connection import parse_where, show
from devicectl.transports.urls import parse_url
from firmware_sim.cli import call as firmware_sim
from protocols.mqtt.broker_url import BrokerUrlError, parse_broker_url

USER = "doctor"
LONGEST_PIECE = 4
"""Characters of a password that may be in a text by chance."""
TEMPLATES = [
    "mqtt://{user}:{secret}@broker.invalid/bench/sim-7",
    "mqtts://{user}:{secret}@broker.invalid:8883/bench/sim-7?ca=ca.pem",
    "mqtt://broker.invalid/bench/sim-7?password={secret}",
    "mqtt://broker.invalid/bench/sim-7?user={user}&password={secret}",
    "mqtt://:{secret}@broker.invalid/bench/sim-7",
    "tcp://{user}:{secret}@gateway.invalid:4001",
    "tcp://gateway.invalid:4001?password={secret}",
    "sim://{user}:{secret}@",
    "sim+mqtt://?password={secret}",
    "http://{user}:{secret}@broker.invalid/",
    "postgresql://{user}:{secret}@db.invalid/log",
    "postgresql+psycopg://{user}:{secret}@db.invalid:5432/log",
    "postgresql://db.invalid/log?user={user}&password={secret}",
    "postgresql://db.invalid/log?pasword={secret}",
]
SECRETS = st.text("abXY37@:/?#&=%+.[] ", min_size=0, max_size=6).map(lambda inner: f"hunter2{inner}zwölf")
SLIPS: dict[str, Callable[[str, int], str]] = {
    "none": lambda url, at: url,
    "a slash is lost": lambda url, at: url.replace("//", "/", 1),
    "both slashes are lost": lambda url, at: url.replace("//", "", 1),
    "a slash too many": lambda url, at: url.replace("//", "///", 1),
    "the colon is lost": lambda url, at: url.replace("://", "//", 1),
    "the scheme is lost": lambda url, at: url.partition("://")[2],
    "the scheme is mistyped": lambda url, at: url.replace("t", "tt", 1),
    "the user's colon is lost": lambda url, at: url.replace(f"{USER}:", USER, 1),
    "the user's @ is another": lambda url, at: url.replace("@", "/", 1),
    "the user's @ is encoded": lambda url, at: url.replace("@", "%40", 1),
    "the user's @ is wide": lambda url, at: url.replace("@", "\uff20", 1),
    "a character is lost": lambda url, at: url[: at % len(url)] + url[at % len(url) + 1 :],
    "a character is there twice": lambda url, at: (
        url[: at % len(url)] + url[at % len(url) :][:1] + url[at % len(url) :]
    ),
    "the ? is lost": lambda url, at: url.replace("?", "", 1),
    "a blank before it": lambda url, at: f" {url}",
}


def _can_be_told(case: tuple[str, str, str, int]) -> bool:
    """Not where an @ of the password has come to be the only one: that URL is right, and leads to another host."""
    template, secret, slip, at = case
    url = template.format(user=USER, secret=secret)
    return not (slip == "a character is lost" and "@" in secret and url[at % len(url)] == "@")


urls = st.tuples(st.sampled_from(TEMPLATES), SECRETS, st.sampled_from(sorted(SLIPS)), st.integers(0, 200)).filter(
    _can_be_told
)


def mistyped(case: tuple[str, str, str, int]) -> str:
    template, secret, slip, at = case
    return SLIPS[slip](template.format(user=USER, secret=secret), at)


def pieces(secret: str) -> set[str]:
    return {secret[at : at + LONGEST_PIECE + 1] for at in range(len(secret) - LONGEST_PIECE)}


def assert_nothing_of(secret: str, said: str) -> None:
    assert not [piece for piece in pieces(secret) if piece in said], said


def whole_story(call: Callable[[], object]) -> str:
    """What a failing test of a user's would show: the exception with all that it came from."""
    try:
        return str(call())
    except (DevicectlError, BrokerUrlError) as error:
        assert str(error).isprintable()
        return "".join(traceback.format_exception(error)).partition("Traceback")[0] + chain(error)


def chain(error: BaseException | None) -> str:
    words = []
    while error is not None:
        words.append(f"{error!r} {error} {vars(error)}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(words)


@given(urls)
@example(("mqtt://{user}:{secret}@broker.invalid/bench/sim-7", "18/hunter2", "none", 0))
@example(("mqtt://{user}:{secret}@broker.invalid/bench/sim-7", "18?hunter2=x", "none", 0))
@example(("tcp://{user}:{secret}@gateway.invalid:4001", "18?hunter2=x", "none", 0))
@example(("postgresql://{user}:{secret}@db.invalid/log", "hun@ter22", "none", 0))
@example(("postgresql://{user}:{secret}@db.invalid/log", "hunter2", "a slash too many", 0))
@example(("postgresql://db.invalid/log?user={user}&password={secret}", "hunter2", "a slash is lost", 0))
@example(("postgresql://db.invalid/log?pasword={secret}", "hunter2", "a character is lost", 27))
@settings(max_examples=300, deadline=None)
def test_no_exception_tells_a_secret(case: tuple[str, str, str, int]) -> None:
    text, secret = mistyped(case), case[1]
    assert_nothing_of(secret, whole_story(lambda: _unless_right(parse_url, text)))
    assert_nothing_of(secret, whole_story(lambda: _unless_right(parse_broker_url, text)))
    assert_nothing_of(secret, whole_story(lambda: _shown(text)))


def _shown(text: str) -> str:
    """A log's place, where there is a database of that kind; else the driver that is missing is told, and no more."""
    url = parse_where(text)
    try:
        url.get_dialect()
    except (NoSuchModuleError, ModuleNotFoundError, ValueError):
        return ""
    return show(url)


def _unless_right(parse: Callable[[str], object], text: str) -> str:
    """A URL that can be parsed is what it says, and is shown as it is."""
    parse(text)
    return ""


@pytest.fixture
def _nothing_is_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEVICECTL_LOG", str(tmp_path / "log.sqlite"))
    monkeypatch.delenv("HANDPIECE_URL", raising=False)


@pytest.mark.usefixtures("_nothing_is_reached")
@given(urls)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_command_tells_a_secret(case: tuple[str, str, str, int]) -> None:
    text, secret = mistyped(case), case[1]
    wrong = [("firmware-sim", firmware_sim, ["serve", text]), ("devicectl", devicectl, ["run", text])]
    if not _is_right(parse_broker_url, text):
        wrong.append(("firmware-sim --mqtt", firmware_sim, ["serve", f"--mqtt={text}"]))
        wrong.append(("firmware-sim --tcp", firmware_sim, ["serve", f"--tcp={text}"]))
    if not _is_right(parse_url, text):
        wrong.append(("devicectl --device", devicectl, ["run", f"--device={text}"]))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HANDPIECE_URL", text)
            assert_nothing_of(secret, said_by(devicectl, ["run"]))
    if not _is_right(parse_where, text):
        wrong.append(("devicectl --log", devicectl, ["sessions", "list", f"--log={text}"]))
        wrong.append(("devicectl run --log", devicectl, ["run", f"--log={text}"]))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DEVICECTL_LOG", text)
            assert_nothing_of(secret, said_by(devicectl, ["sessions", "show", "1"]))
    for _, call, line in wrong:
        assert_nothing_of(secret, said_by(call, line))


def _is_right(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except (DevicectlError, BrokerUrlError):
        return False
    return True


def said_by(call: Callable[[list[str]], int], line: list[str]) -> str:
    """Both streams of a command that is refused."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        code = call(line)
    assert code in (2, 4), err.getvalue()
    return out.getvalue() + err.getvalue()
