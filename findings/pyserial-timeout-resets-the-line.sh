#!/usr/bin/env bash
# what: Assigning `timeout` to an open pyserial port writes all settings of the line again, as pyserial remembers them.
#   What another program has set since (`stty`, a second process at the same port) is undone without a word, by a
#   value that never reaches the driver: on POSIX the timeout is an argument of select().
# expected: A new timeout changes how long read() waits, and nothing of the line.
# versions: pyserial 3.5, stty of coreutils 9.1, Python 3.11, Linux 6
# packages: pyserial==3.5
# reported: https://github.com/pyserial/pyserial/issues/391 as a cost in time; not as a loss of settings
# seen:
#   opened by pyserial: 9600 baud, 1 stop bit
#   set by stty: 57600 baud, 2 stop bits
#   after reading: 57600 baud, 2 stop bits
#   after port.timeout = 0.5: 9600 baud, 1 stop bit
. "$(dirname "$0")/finding.bash"
need stty
observe <<'PYTHON'
import os
import pty
import subprocess
import termios
import tty

import serial

device_end, host_end = pty.openpty()
tty.setraw(host_end)
path = os.ttyname(host_end)
BAUD = {termios.B9600: 9600, termios.B57600: 57600}


def show(when):
    _, _, control, _, speed, _, _ = termios.tcgetattr(host_end)
    bits = "2 stop bits" if control & termios.CSTOPB else "1 stop bit"
    print(f"{when}: {BAUD[speed]} baud, {bits}")


port = serial.Serial(path, 9600, timeout=1)
show("opened by pyserial")
subprocess.run(["stty", "-F", path, "57600", "cstopb"], check=True)
show("set by stty")
os.write(device_end, b"ok")
assert port.read(2) == b"ok"
show("after reading")
port.timeout = 0.5
show("after port.timeout = 0.5")
PYTHON
