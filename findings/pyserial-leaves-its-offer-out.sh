#!/usr/bin/env bash
# what: pyserial's `rfc2217://` leaves out its own offer (WILL COM-PORT-OPTION) where the server's request (DO
#   COM-PORT-OPTION) has come before the offer was made: its reading thread marks the option as active, and the loop
#   that makes the offers passes over it. A server that greets with the request gets the settings of a client that
#   never offered them. Where it ignores them, as RFC 2217 has both words said first, the port is not opened.
# expected: Whoever is asked by DO answers WILL, or has said it before (RFC 854; RFC 2217, section 2).
# versions: pyserial 3.5, Python 3.11, Linux 6
# packages: pyserial==3.5
# reported: not found; https://github.com/cminyard/ser2net/issues/92 has the same error, without a cause
# seen:
#   a server that waits for the offer: it came in 40 of 40
#   a server that asks at once: it was left out in some of 40
. "$(dirname "$0")/finding.bash"
observe <<'PYTHON'
import contextlib
import socket
import threading
import warnings

import serial

warnings.simplefilter("ignore")
TRIES = 40
REQUEST, OFFER = b"\xff\xfd\x2c", b"\xff\xfb\x2c"


def gateway(listener, asks_at_once, offers):
    for _ in range(TRIES):
        connection, _ = listener.accept()
        if asks_at_once:
            connection.sendall(REQUEST)
        said = b""
        while data := connection.recv(4096):
            said += data
        offers.append(OFFER in said)
        connection.close()


def offers_made(asks_at_once):
    """Tell of each of `TRIES` clients if it has made its offer. None can open the port: nothing is answered."""
    offers = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=gateway, args=(listener, asks_at_once, offers))
        server.start()
        for _ in range(TRIES):
            with contextlib.suppress(serial.SerialException):
                serial.serial_for_url(f"rfc2217://127.0.0.1:{listener.getsockname()[1]}?timeout=0.1")
        server.join()
    return offers


offers = offers_made(asks_at_once=False)
print(f"a server that waits for the offer: it came in {offers.count(True)} of {TRIES}")
offers = offers_made(asks_at_once=True)
print(f"a server that asks at once: it was left out in {'some' if False in offers else 'none'} of {TRIES}")
PYTHON
