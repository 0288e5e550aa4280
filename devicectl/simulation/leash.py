"""A program that keeps a program on a leash: it ends when its owner lets go, or is gone.

    python -I leash.py FOLDER COMMAND...        COMMAND runs until standard input ends; then FOLDER is removed

The owner holds the other end of the pipe. Whatever ends the owner, the system closes that: no signal has to arrive,
and nobody has to ask for a parent. A COMMAND that ends by itself leaves FOLDER, in which its owner can read why; the
exit code is the COMMAND's.

Law: a script of its own, which imports nothing of the package: it is there for as long as the COMMAND is.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from types import FrameType
from typing import Final, NoReturn

STOP_TIMEOUT_S: Final = 2.0
"""Time for the COMMAND to end."""
NO_COMMAND: Final = 127
"""Exit code that a shell gives for one that cannot be run."""


def _end(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(OSError):
        process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _asked(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)


def main() -> int:
    """Run the COMMAND to its end, or to that of standard input; its exit code."""
    signal.signal(signal.SIGTERM, _asked)
    folder, *command = sys.argv[1:]
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return NO_COMMAND

    let_go = threading.Event()

    def wait_for_owner() -> None:
        while os.read(0, 4096):  # not sys.stdin: its lock would be held at this program's own end
            pass
        let_go.set()
        _end(process)

    threading.Thread(target=wait_for_owner, daemon=True).start()
    try:
        return process.wait()
    finally:
        _end(process)
        if let_go.is_set():
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
