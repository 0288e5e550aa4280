#!/usr/bin/env bash
# what: A device that lewis 1.4 simulates answers 20 ms late over TCP, and `--cycle-delay 0` ("maximum simulation rate")
#   changes nothing. The bytes are there; the server looks for them at a pace of its own, so ten questions sent together
#   take as long as one. A host that asks one thing at a time gets 50 answers a second. With lewis 1.3.5 an answer took
#   0.1 ms on the same machine.
# expected: An idle server answers when a line arrives, and the delay of a cycle is the one that the option says.
# versions: lewis 1.4.0, Python 3.11
# packages: lewis==1.4.0
# reported: not found
# seen:
#   as it is: an answer takes 10 ms or more: True
#   --cycle-delay 0: an answer takes 10 ms or more: True
#   --cycle-delay 0: ten questions sent together take less than three sent one by one: True
. "$(dirname "$0")/finding.bash"
observe <<'PYTHON'
import signal
import socket
import statistics
import subprocess
import sys
import time

signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
LEWIS = [sys.executable, "-m", "lewis", "-k", "lewis.examples", "example_motor", "-o", "error"]
QUESTION = b"P?\r\n"


def connected(port):
    for _ in range(200):
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise SystemExit("lewis does not listen")


def took(line, questions):
    begun = time.perf_counter()
    line.sendall(QUESTION * questions)
    answers = b""
    while answers.count(b"\r\n") < questions:
        answers += line.recv(4096)
    return time.perf_counter() - begun


def measure(*options):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    stream = f"stream: {{bind_address: 127.0.0.1, port: {port}}}"
    server = subprocess.Popen([*LEWIS, "-p", stream, *options])
    try:
        with connected(port) as line:
            line.settimeout(5)
            took(line, 1)
            alone, together = [took(line, 1) for _ in range(20)], [took(line, 10) for _ in range(5)]
            return statistics.median(alone), statistics.median(together)
    finally:
        server.kill()
        server.wait()


alone, _ = measure()
print(f"as it is: an answer takes 10 ms or more: {alone >= 0.010}")
alone, together = measure("--cycle-delay", "0")
print(f"--cycle-delay 0: an answer takes 10 ms or more: {alone >= 0.010}")
print(f"--cycle-delay 0: ten questions sent together take less than three sent one by one: {together < 3 * alone}")
print(f"medians: {alone * 1000:.1f} ms, {together * 1000:.1f} ms for ten together", file=sys.stderr)
PYTHON
