#!/usr/bin/env bash
# what: pyserial's `rfc2217://` cannot open a pseudo-terminal behind ser2net. At opening it sets DTR and waits for the
#   answer. A pseudo-terminal has no modem lines, and ser2net, which answers everything else, gives no answer to that,
#   not even a refusal. Without the wait (pyserial's option `ign_set_control`) all works.
# expected: A simulated device on a pseudo-terminal can be served to a client of RFC 2217, as it can over plain TCP.
# versions: ser2net 4.3.11, pyserial 3.5, Python 3.11, Linux 6
# packages: pyserial==3.5
# reported: not found
# seen:
#   as it is: SerialException: timeout while waiting for option 'control'
#   with ign_set_control: opened, 115200 baud at the pseudo-terminal, b'ping' there, b'pong' back
. "$(dirname "$0")/finding.bash"
need ser2net
observe <<'PYTHON'
import os
import pty
import signal
import socket
import subprocess
import sys
import termios
import time
import tty

import serial

device_end, host_end = pty.openpty()
tty.setraw(host_end)
with socket.create_server(("127.0.0.1", 0)) as probe:
    port = probe.getsockname()[1]
with open("ser2net.yaml", "w") as file:
    file.write(
        f"connection: &device\n  accepter: telnet(rfc2217),tcp,127.0.0.1,{port}\n"
        f"  connector: serialdev(nouucplock),{os.ttyname(host_end)},9600n81,local\n"
    )


def opened(options):
    for _ in range(100):
        try:
            return serial.serial_for_url(f"rfc2217://127.0.0.1:{port}{options}", baudrate=115200, timeout=5)
        except serial.SerialException as error:
            if "control" in str(error):
                return error
            time.sleep(0.1)  # ser2net has not begun to listen, or has not let go of the client before
    raise SystemExit("ser2net does not listen")


signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
server = subprocess.Popen(["ser2net", "-n", "-d", "-c", "ser2net.yaml"], stdout=sys.stderr)
try:
    error = opened("")
    print(f"as it is: {type(error).__name__}: {error}")
    client = opened("?ign_set_control")
    speed = 115200 if termios.tcgetattr(host_end)[4] == termios.B115200 else "another"
    client.write(b"ping")
    there = os.read(device_end, 4)
    os.write(device_end, b"pong")
    print(f"with ign_set_control: opened, {speed} baud at the pseudo-terminal, {there} there, {client.read(4)} back")
    client.close()
finally:
    server.kill()
    server.wait()
PYTHON
