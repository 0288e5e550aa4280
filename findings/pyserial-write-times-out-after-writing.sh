#!/usr/bin/env bash
# what: With a `write_timeout`, pyserial waits after its last piece until the port takes more. If that time passes it
#   raises `SerialTimeoutException`, though every byte has been accepted. Repeating the write sends it twice.
# expected: The exception means that something was not written.
# versions: pyserial 3.5, Python 3.11, Linux 6
# packages: pyserial==3.5
# reported: https://github.com/pyserial/pyserial/issues/281
# seen:
#   write() raised: SerialTimeoutException: Write timeout
#   the other end has the records before that one, complete: True
#   it has that record: True
#   after writing the record again, it has it twice: True
. "$(dirname "$0")/finding.bash"
observe <<'PYTHON'
import os
import pty
import select
import tty

import serial

device_end, host_end = pty.openpty()
tty.setraw(host_end)
port = serial.Serial(os.ttyname(host_end), write_timeout=0.3)


def everything():
    data = b""
    while select.select([device_end], [], [], 0.3)[0]:
        data += os.read(device_end, 65536)
    return data.splitlines()


records = (b"%07d" % number for number in range(200_000))
returned = []
for record in records:  # nobody reads, so the line fills
    try:
        port.write(record + b"\n")
    except serial.SerialTimeoutException as error:
        print(f"write() raised: {type(error).__name__}: {error}")
        break
    returned.append(record)

read = everything()
print("the other end has the records before that one, complete:", read[: len(returned)] == returned)
print("it has that record:", read[len(returned) :] == [record])
port.write(record + b"\n")
print("after writing the record again, it has it twice:", (read + everything()).count(record) == 2)
PYTHON
