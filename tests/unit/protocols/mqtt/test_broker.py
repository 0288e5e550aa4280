"""Terms of both ends with a broker: the arguments of its client, and each way to be kept out in one sentence."""

from types import SimpleNamespace

import pytest

from protocols.language.errors import ProtocolError
from protocols.mqtt.broker import (
    NOT_MQTT,
    SHUT_OUT,
    UNANSWERED,
    DeniedError,
    LostError,
    TooLargeError,
    client_options,
    explain,
    reason_code,
)
from protocols.mqtt.broker_url import BrokerUrl, parse_broker_url

PLAIN = "mqtt://127.0.0.1:1883/bench/sim-7"
TLS = "mqtts://broker.example/bench/sim-7?ca=ca.pem"
CERTIFIED = "mqtts://broker.example/bench/sim-7?cert=me.pem&key=me.key"
SOCKETS = "ws://127.0.0.1:9001/bench/sim-7?path=/mine"


def url(text: str) -> BrokerUrl:
    return parse_broker_url(text)


class Coded(Exception):
    """An error of the client library, with a reason code."""

    def __init__(self, rc: object, text: str = "what the library says") -> None:
        self.rc = rc
        super().__init__(text)


def caused_by(cause: Exception) -> Exception:
    error = OSError("outer")
    error.__cause__ = cause
    return error


# --- the client


def test_the_client_is_made_for_the_urls_broker() -> None:
    assert client_options(url(PLAIN), "me", ("user", "secret")) == {
        "hostname": "127.0.0.1", "port": 1883, "identifier": "me", "username": "user", "password": "secret",
        "timeout": 4.0, "keepalive": 10, "clean_start": True,
    }  # fmt: skip


def test_an_empty_name_or_password_is_none() -> None:
    options = client_options(url(PLAIN), "me", ("", ""))
    assert options["username"] is None and options["password"] is None


def test_web_sockets_have_their_path() -> None:
    options = client_options(url(SOCKETS), "me", ("", ""))
    assert (options["transport"], options["websocket_path"]) == ("websockets", "/mine")


# --- reason codes


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Coded(0x87), 0x87),
        (Coded(SimpleNamespace(value=0x8D)), 0x8D),
        (caused_by(Coded(0x97)), 0x97),
        (Coded(None), -1),
        (OSError("refused"), -1),
        (caused_by(OSError("refused")), -1),
    ],
    ids=["number", "object", "cause", "none", "without", "cause without"],
)
def test_a_reason_code_is_the_errors_or_that_of_its_cause(error: Exception, code: int) -> None:
    assert reason_code(error) == code


def test_a_denial_is_told_as_it_is() -> None:
    error = DeniedError("publish to a/b")
    assert explain(error, url(PLAIN)) == "the broker's access list does not let this user publish to a/b"
    assert error.what == "publish to a/b" and isinstance(error, ProtocolError)
    assert "quota" in str(DeniedError("publish to a/b", 0x97))


def test_a_packet_that_is_too_large_is_told_with_both_sizes_and_what_is_needed() -> None:
    error = TooLargeError("command/arm", 300, 256)
    assert explain(error, url(PLAIN)) == (
        "command/arm takes a packet of 300 bytes, and the broker takes 256 at most; "
        "this protocol needs 16384 (Mosquitto: max_packet_size)"
    )


def test_a_code_that_is_known_is_told_in_words_with_the_broker() -> None:
    assert explain(Coded(0x86), url(PLAIN)) == (
        "broker 127.0.0.1:1883: the broker does not know this user name and password"
    )
    assert LostError(0x8E).rc == 0x8E and reason_code(LostError(0x8E)) == 0x8E


SENTENCES: dict[str, tuple[str, str, str]] = {
    "lost": (PLAIN, "Disconnected during message iteration", "the connection was lost"),
    "slow TLS": (
        TLS,
        "_ssl.c:980: The handshake operation timed out",
        "it took the connection and does not answer in TLS; is this its port for mqtts://?",
    ),
    "slow": (PLAIN, "timed out", "it does not answer"),
    "no web sockets": (
        SOCKETS,
        "WebSocket handshake error",
        "it has no WebSockets for MQTT at /mine; path=/... names another place",
    ),
    "a certificate": (
        TLS,
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:1006)",
        "its certificate is not accepted: self-signed certificate; ca=FILE names the authority that it has to be from",
    ),
    "shut out": (
        PLAIN,
        SHUT_OUT,
        "it closed the connection without a word; is this its port for TLS (mqtts://) or WebSockets (ws://), "
        "or is it a broker without MQTT 5, or full?",
    ),
    "shut out of TLS": (
        TLS,
        SHUT_OUT,
        "it closed the connection without a word; does it ask for a client's certificate (cert=FILE&key=FILE)?",
    ),
    "shut out with a certificate": (
        CERTIFIED,
        SHUT_OUT,
        "it closed the connection without a word; does it take the certificate in me.pem?",
    ),
    "unanswered": (
        PLAIN,
        UNANSWERED,
        "it does not answer CONNECT; is this its port for TLS (mqtts://) or WebSockets (ws://), "
        "or is it a broker without MQTT 5, or full?",
    ),
    "reset over TLS": (
        TLS,
        "[Errno 104] Connection reset by peer",
        "Connection reset by peer; does it speak TLS at this port?",
    ),
    "no TLS there": (
        TLS,
        "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)",
        "wrong version number; does it speak TLS at this port?",
    ),
    "reset without TLS": (PLAIN, "[Errno 104] Connection reset by peer", "Connection reset by peer"),
    "no MQTT": (PLAIN, NOT_MQTT, "what it says is not MQTT 5; is this its port for MQTT?"),
    "refused over TLS": (TLS, "[Errno 111] Connection refused", "Connection refused"),
    "refused": (PLAIN, "[Errno 111] Connection refused", "Connection refused"),
}


@pytest.mark.parametrize(("text", "error", "sentence"), SENTENCES.values(), ids=SENTENCES)
def test_each_way_to_be_kept_out_is_one_sentence_that_names_the_broker(text: str, error: str, sentence: str) -> None:
    broker = url(text)
    assert explain(OSError(error), broker) == f"broker {broker.address}: {sentence}"
