#!/usr/bin/env bash
# what: In a log of candump, python-can takes an error frame for one only if its class has the bit for bus errors.
#   Bus-off, a problem of the controller, a lost arbitration become ordinary extended data frames, whose identifier is
#   the class of the error. The other way round, it writes every error frame as a bus error.
# expected: SocketCAN's flag for errors, 0x20000000, decides: `candump`, `log2long` and `asc2log` of can-utils go by it.
# versions: python-can 4.6.1, Python 3.11
# packages: python-can==4.6.1
# reported: not found
# seen:
#   read 20000080, bus error: error frame
#   read 20000040, bus-off: extended data frame 0x40, 8 bytes
#   read 20000004, controller: extended data frame 0x4, 8 bytes
#   read 20000002, arbitration lost: extended data frame 0x2, 8 bytes
#   written for class 0x4 with data 0008000000000000: 20000080#0008000000000000
. "$(dirname "$0")/finding.bash"
observe <<'PYTHON'
import can

CLASSES = {"20000080": "bus error", "20000040": "bus-off", "20000004": "controller", "20000002": "arbitration lost"}

with open("seen.log", "w") as file:
    file.writelines(f"(1700000000.000000) can0 {name}#0000000000000000\n" for name in CLASSES)
for (name, meaning), frame in zip(CLASSES.items(), can.LogReader("seen.log"), strict=True):
    size = "extended" if frame.is_extended_id else "standard"
    data = f"{size} data frame {frame.arbitration_id:#x}, {len(frame.data)} bytes"
    print(f"read {name}, {meaning}: {'error frame' if frame.is_error_frame else data}")

error = can.Message(
    timestamp=1.0, arbitration_id=0x4, is_error_frame=True, data=bytes.fromhex("0008000000000000"), channel="can0"
)
with can.Logger("written.log") as log:
    log.on_message_received(error)
with open("written.log") as file:
    print(f"written for class 0x4 with data {error.data.hex()}:", file.read().split()[2])
PYTHON
