"""Drive a lesson of the trainers' station from a program: start it, let the operator work, and fetch the debrief.

It needs devicectl[station]. TRAINING SIMULATOR - NOT A MEDICAL DEVICE.
"""

import json
import re
import subprocess
import sys
import urllib.request

from websockets.sync.client import connect

STATION = [sys.executable, "-m", "devicectl", "station", "--port", "0", "--no-open", "--log", "sqlite://"]

with subprocess.Popen(STATION, stdout=subprocess.PIPE, text=True) as server:
    assert server.stdout is not None
    said = "".join(iter(server.stdout.readline, "Ctrl-C ends the station.\n"))
    print(said.splitlines()[0])
    host, token = re.findall(r"instructor +http://(\S+)/enter/(\S+)", said)[0]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def ask(path: str, **body: object) -> bytes:
        """Send a request of the control API; with a body it changes something."""
        data = json.dumps(body).encode() if body else None
        with urllib.request.urlopen(urllib.request.Request(f"http://{host}{path}", data, headers)) as answer:
            return bytes(answer.read())

    number = json.loads(ask("/api/stations", scenario="normal-session", seed=7, trainee="a program"))["station"]
    ask(f"/api/stations/{number}/acts", name="automatic", arguments={"on": True})
    ask(f"/api/stations/{number}/pace", running=True, speed=60)
    with connect(f"ws://{host}/ws/trainee/{number}", additional_headers=headers) as view:
        view.send('{"type": "resume", "last": 0}')
        while '"end":' not in str(view.recv()):  # the view as a whole, and then merge patches of RFC 7386
            pass
    print(json.loads(ask(f"/api/stations/{number}"))["state"]["words"])
    print(f"the debrief has {len(ask(f'/api/stations/{number}/report')):,} bytes")
    server.terminate()
