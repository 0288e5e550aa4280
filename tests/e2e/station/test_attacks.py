"""The attack corpus against a server that runs: nothing of it is accepted, and the class goes on."""

import contextlib
import json
import socket
from collections.abc import Iterator
from string import Template
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from tests.e2e.processes import wait_until
from tests.e2e.station.attacks import ACTS, MESSAGES, REQUESTS, RESUME, RIGHT
from tests.e2e.station.served import Served, served
from tests.patience import patience

REFUSED = range(400, 500)
MEGABYTE = b"x" * 2**20


class Target:
    """A class with a trainee's link that was renewed, and browsers that came in."""

    def __init__(self, station: Served) -> None:
        self.station = station
        old, old_cookie = station.tokens["presenter-1"], station.cookie("presenter-1")
        renewed = station.done("POST", "/api/stations/1/link", {"view": "presenter"})
        station.tokens["presenter-1"] = renewed["url"].rpartition("/")[2]
        cookie, trainee_cookie = station.cookie("instructor"), station.cookie("trainee-1")
        name, _, secret = cookie.partition("=")
        instructor = station.tokens["instructor"]
        self.words = {
            "port": str(station.port),
            "instructor": instructor,
            "short": instructor[:-1],
            "swapped": instructor.swapcase(),
            "trainee": station.tokens["trainee-1"],
            "other": station.tokens["trainee-2"],
            "presenter": station.tokens["presenter-1"],
            "old": old,
            "old_cookie": old_cookie,
            "cookie": cookie,
            "cookie_name": name,
            "cookie_secret": secret,
            "trainee_cookie": trainee_cookie,
            "trainee_secret": trainee_cookie.partition("=")[2],
        }

    def send(self, text: str) -> bytes:
        """Send the text of a request, with an empty line if it has none; all that comes back."""
        sent = Template(text).substitute(self.words).encode("latin-1")
        if b"\r\n\r\n" not in sent:
            sent += b"\r\n"
        with self.connected() as peer:
            with contextlib.suppress(OSError):  # a server that has refused the head takes no more
                peer.sendall(sent)
            return received(peer)

    def connected(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.station.port), timeout=patience())

    def state(self) -> Any:
        """Return what an attack could have changed."""
        roster = self.station.done("GET", "/api/stations")["stations"]
        return [{key: value for key, value in row.items() if key != "connected"} for row in roster]


def received(peer: socket.socket) -> bytes:
    """Return the head of an answer; empty where the connection is closed without one."""
    got = b""
    with contextlib.suppress(ConnectionResetError):
        while b"\r\n\r\n" not in got and (data := peer.recv(65_536)):
            got += data
    return got


def status(answer: bytes) -> int:
    """Return the status of an answer; 0 where there is none."""
    return int(answer.split()[1]) if answer.startswith(b"HTTP/1.1 ") else 0


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    log = tmp_path_factory.mktemp("attacked") / "log.sqlite"
    with served(log, "--stations", "2", "--seed", "7") as station:
        target = Target(station)
        yield target
        assert station.process.poll() is None, "it was ended"
        station.process.terminate()
        said = station.process.communicate(timeout=patience())
    assert said == ("the station has ended\n", ""), "it has said something of an attack, which may have a secret in it"


@pytest.fixture
def unharmed(target: Target) -> Iterator[Target]:
    before = target.state()
    yield target
    assert target.state() == before


def test_corpus_has_forty_attacks_and_more() -> None:
    assert len(REQUESTS) + len(MESSAGES) + len(ACTS) >= 120


@pytest.mark.parametrize("name", RIGHT)
def test_right_request_is_accepted(target: Target, name: str) -> None:
    assert status(target.send(RIGHT[name])) in (200, 303)


@pytest.mark.parametrize("name", REQUESTS)
def test_request_is_refused(unharmed: Target, name: str) -> None:
    answer = unharmed.send(REQUESTS[name])
    assert status(answer) in REFUSED or answer == b""
    assert b"set-cookie" not in answer.lower() and b"access-control" not in answer.lower()


@pytest.mark.parametrize("name", RIGHT)
def test_each_answer_has_the_headers_that_bind_a_browser(target: Target, name: str) -> None:
    answer = target.send(RIGHT[name]).decode().lower()
    assert "content-security-policy: default-src 'none'; script-src 'self'" in answer
    for header in ("x-content-type-options: nosniff", "referrer-policy: no-referrer", "frame-ancestors 'none'",
                   "cross-origin-opener-policy: same-origin", "cross-origin-resource-policy: same-origin"):  # fmt: skip
        assert header in answer
    assert "server:" not in answer


# --- bodies that are too long ------------------------------------------------------------------------------------


def test_body_of_100_megabytes_is_not_read(unharmed: Target) -> None:
    head = REQUESTS["body that is said to have 100 MB"].removesuffix("\r\n\r\n")
    assert sent_until_refused(unharmed, head, MEGABYTE) < 100


def test_body_of_100_megabytes_in_chunks_is_not_read(unharmed: Target) -> None:
    head = "POST /api/stations HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${instructor}\r\n"
    kind = "Content-Type: application/json\r\nTransfer-Encoding: chunked"
    assert sent_until_refused(unharmed, head + kind, b"100000\r\n" + MEGABYTE + b"\r\n") < 100


def test_body_that_is_too_long_in_chunks_is_refused_once(unharmed: Target) -> None:
    head = "POST /api/stations HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${instructor}\r\n"
    kind = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    with unharmed.connected() as peer:
        peer.sendall(Template(head + kind).substitute(unharmed.words).encode())
        peer.sendall(b"15000\r\n" + b"x" * 0x15000 + b"\r\n")
        peer.sendall((b"10000\r\n" + b"x" * 0x10000 + b"\r\n") * 3)
        assert status(received(peer)) == 413


def sent_until_refused(target: Target, head: str, piece: bytes) -> int:
    """Send a body of 100 pieces; how many were sent when the server had closed the connection."""
    with target.connected() as peer:
        peer.sendall(Template(head).substitute(target.words).encode() + b"\r\n\r\n")
        sent = 0
        with contextlib.suppress(OSError):
            for _ in range(100):
                peer.sendall(piece)
                sent += 1
        return sent


# --- sockets -----------------------------------------------------------------------------------------------------


def handshake(target: Target, path: str, who: str, **headers: str) -> int:
    """Open a socket; the status of the answer."""
    try:
        with target.station.socket(*path.split("/"), who=who, **headers):  # type: ignore[arg-type]
            return 101
    except InvalidStatus as error:
        return error.response.status_code


@pytest.mark.parametrize(
    ("path", "who"),
    [("trainee/1", "trainee-1"), ("presenter/1", "presenter-1"), ("instructor/1", "instructor"),
     ("trainee/2", "instructor")],
)  # fmt: skip
def test_right_socket_opens(target: Target, path: str, who: str) -> None:
    assert handshake(target, path, who) == 101


@pytest.mark.parametrize(
    ("path", "who"),
    [("trainee/1", ""), ("trainee/2", "trainee-1"), ("instructor/1", "trainee-1"), ("presenter/1", "trainee-1"),
     ("trainee/1", "presenter-1"), ("instructor/1", "presenter-1"), ("server/1", "instructor"),
     ("trainee/9", "instructor"), ("..%2ftrainee/1", "instructor"), ("trainee/0x1", "instructor")],
)  # fmt: skip
def test_socket_of_another_view_is_refused(unharmed: Target, path: str, who: str) -> None:
    assert handshake(unharmed, path, who) in REFUSED


@pytest.mark.parametrize(
    ("origin", "who"),
    [
        ("http://evil.example", ""),
        ("null", ""),
        ("http://127.0.0.1", ""),
        ("", ""),
        ("http://evil.example", "trainee-1"),
    ],
)
def test_socket_of_another_site_is_refused(unharmed: Target, origin: str, who: str) -> None:
    headers = {"Cookie": unharmed.words["trainee_cookie"], **({"Origin": origin} if origin else {})}
    assert handshake(unharmed, "trainee/1", who, **headers) == 403


def test_socket_of_a_page_opens_by_cookie_and_origin(target: Target) -> None:
    headers = {"Cookie": target.words["trainee_cookie"], "Origin": target.station.origin}
    assert handshake(target, "trainee/1", "", **headers) == 101


@pytest.mark.parametrize("name", MESSAGES)
def test_message_ends_the_socket(unharmed: Target, name: str) -> None:
    with unharmed.station.socket("trainee", who="trainee-1") as page:
        with contextlib.suppress(ConnectionClosed):
            for message in MESSAGES[name]:
                page.send(message)
        closed(page)


def closed(page: ClientConnection) -> int:
    """Read until the socket is closed; the code."""
    with pytest.raises(ConnectionClosed) as caught:
        while True:
            page.recv(patience())
    return caught.value.rcvd.code if caught.value.rcvd else 1006


@pytest.mark.parametrize("name", ACTS)
def test_act_is_refused_in_words(unharmed: Target, name: str) -> None:
    act, arguments = ACTS[name]
    with unharmed.station.socket("trainee", who="trainee-1") as page:
        page.send(RESUME)
        page.send(json.dumps({"type": "act", "id": 1, "name": act, "arguments": arguments}))
        answer = next(message for text in page if (message := json.loads(text))["type"] == "answer")
    assert answer["ok"] is False and answer["words"]


def test_page_that_sends_more_than_a_hand_does_is_told_to_come_back(unharmed: Target) -> None:
    with unharmed.station.socket("trainee", who="trainee-1") as page:
        page.send(RESUME)
        with contextlib.suppress(ConnectionClosed):
            for _ in range(300):
                page.send('{"type": "hold"}')
        assert closed(page) == 1013


def test_bytes_are_no_message(unharmed: Target) -> None:
    with unharmed.station.socket("trainee", who="trainee-1") as page:
        page.send(b"\x00\x01")
        assert closed(page) == 1003


def test_renewed_link_ends_the_sockets_that_came_by_the_earlier_one(target: Target) -> None:
    station = target.station
    with station.socket("trainee", 2, who="trainee-2") as page, station.socket("trainee", 2) as instructor:
        page.send(RESUME)
        instructor.send(RESUME)
        assert page.recv(patience()) and instructor.recv(patience())
        renewed = station.done("POST", "/api/stations/2/link", {"view": "trainee"})
        assert closed(page) == 1008
        instructor.send('{"type": "hold"}')
    station.tokens["trainee-2"] = target.words["other"] = renewed["url"].rpartition("/")[2]
    assert handshake(target, "trainee/2", "trainee-2") == 101


def test_more_connections_than_one_address_may_have_are_dropped(unharmed: Target) -> None:
    with contextlib.ExitStack() as peers:
        opened = [peers.enter_context(unharmed.connected()) for _ in range(80)]
        for peer in opened[-10:]:
            assert received(peer) == b""
    wait_until(lambda: status(unharmed.send(RIGHT["page"])) == 200, "there is room again")
