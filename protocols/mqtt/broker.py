"""Terms of both ends with a broker: who they are, how long they wait, and what a no means.

Law: it imports no client, opens nothing, touches no socket and reads no file. `handpiece_shell.broker_calls` does.
"""

import re
from typing import Final

from protocols.language.errors import ProtocolError
from protocols.mqtt.broker_url import BrokerUrl
from protocols.mqtt.properties import denial, why
from protocols.mqtt.wire import MAX_PACKET_BYTES

TIMEOUT_S: Final = 4.0
"""Time for any one thing that the broker does; and for all together, from the first step towards it, until an end is
let in: one that is kept out has to be told so within five seconds."""
CONNECT_TIMEOUT_S: Final = 2.0
"""Time for the connection, and as much again for TLS: the library makes both in a thread, which nothing breaks off."""
LAST_WORD_TIMEOUT_S: Final = 0.5
"""Time for a call where that for all together is over: as much as a DISCONNECT needs."""
KEEPALIVE_S: Final = 10
"""After one and a half of these the broker gives up a silent connection and speaks its will. No safety hangs on it."""
MAX_UNSENT: Final = 256
"""Publications that wait for the broker: one that has not taken the first of so many is not there."""
UNANSWERED: Final = "it does not answer CONNECT"
SHUT_OUT: Final = "it closed the connection without a word"
NOT_MQTT: Final = "what it says is not MQTT 5; is this its port for MQTT?"

_TLS_NOISE: Final = re.compile(r"^\[[^\]]*\] | \(_ssl\.c:\d+\)$")
"""Text around the sentence in an error of the system, or of TLS."""


class DeniedError(ProtocolError):
    """The broker forbids `what`, such as "publish to a/b", by a reason code; it would forbid that again."""

    def __init__(self, what: str, code: int = 0x87) -> None:
        self.what = what
        super().__init__(denial(code, what))


class TooLargeError(DeniedError):
    """The broker has said that it takes no packet of this size."""

    def __init__(self, topic: str, size: int, limit: int) -> None:
        ProtocolError.__init__(
            self,
            f"{topic} takes a packet of {size} bytes, and the broker takes {limit} at most; "
            f"this protocol needs {MAX_PACKET_BYTES} (Mosquitto: max_packet_size)",
        )


class LostError(ProtocolError):
    """The connection is gone; `rc` is the reason that the broker, or else the library, gave for that."""

    def __init__(self, rc: object) -> None:
        self.rc = rc
        super().__init__("the connection was lost")


def client_options(url: BrokerUrl, identifier: str, credentials: tuple[str, str]) -> dict[str, object]:
    """Arguments of the library's client, but for protocol, TLS and will; an empty name or password is none."""
    username, password = credentials
    return {
        "hostname": url.host,
        "port": url.port,
        "identifier": identifier,
        "username": username or None,
        "password": password or None,
        "timeout": TIMEOUT_S,
        "keepalive": KEEPALIVE_S,
        "clean_start": True,
        **({} if url.path is None else {"transport": "websockets", "websocket_path": url.path}),
    }


def reason_code(error: BaseException) -> int:
    """The broker's reason code in an error of the client library, or in what caused it; -1 where there is none."""
    for one in (error, error.__cause__):
        code = getattr(one, "rc", None)
        number = getattr(code, "value", code)
        if isinstance(number, int):
            return number
    return -1


def explain(error: BaseException, url: BrokerUrl) -> str:
    """Return one sentence about why a connection to the broker is not there or not of use."""
    if isinstance(error, DeniedError):
        return str(error)
    where = f"broker {url.address}"
    if text := why(reason_code(error)):
        return f"{where}: {text}"
    text = _TLS_NOISE.sub("", str(error))
    if "iteration" in text:  # in the library's words: it was iterating over messages
        text = "the connection was lost"
    elif "handshake" in text and "timed out" in text:
        text = "it took the connection and does not answer in TLS; is this its port for mqtts://?"
    elif "timed out" in text:
        text = "it does not answer"
    elif "WebSocket handshake" in text:
        text = f"it has no WebSockets for MQTT at {url.path}; path=/... names another place"
    elif "certificate verify failed" in text:
        reason = text.rpartition("failed: ")[2]
        text = f"its certificate is not accepted: {reason}; ca=FILE names the authority that it has to be from"
    elif text in (SHUT_OUT, UNANSWERED):
        text += _why_shut_out(url)
    elif url.tls and ("reset by peer" in text or "wrong version" in text):
        text += "; does it speak TLS at this port?"
    return f"{where}: {text}"


def _why_shut_out(url: BrokerUrl) -> str:
    if not url.tls:
        return "; is this its port for TLS (mqtts://) or WebSockets (ws://), or is it a broker without MQTT 5, or full?"
    if url.cert is None:
        return "; does it ask for a client's certificate (cert=FILE&key=FILE)?"
    return f"; does it take the certificate in {url.cert}?"
