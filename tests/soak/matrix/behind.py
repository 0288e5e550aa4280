"""Devices with a defect behind a broker: mutants of the MQTT wire, each made for a rule, and their trial.

How it works: the spoilt device is a process of its own at a Mosquitto of its own; the kit is here, and is right.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from devicectl.conformance.device.catalogue import DEVICE_CASES
from devicectl.conformance.device.session import Wanted, hold
from devicectl.conformance.outcome import Outcome
from devicectl.errors import DevicectlError
from devicectl.transports.urls import parse_url
from tests.brokers import running
from tests.programs import serve
from tests.soak.matrix.kept import note
from tests.soak.mutants.mutant import Mutant

_BODIES: Final = "protocols/mqtt/bodies.py"
_CLIENTS: Final = "firmware_sim/serve/transports/clients.py"
_WIRE: Final = "protocols/mqtt/wire.py"
_CASES: Final = tuple(case for case in DEVICE_CASES if case.id.startswith("mqt."))

BEHIND: Final[tuple[Mutant, ...]] = (
    Mutant(
        "replies are published at QoS 0",
        _WIRE,
        "        return Publication(self._reply, body, correlation_data",
        "        return Publication(self._reply, body, 0, correlation_data",
        "HLP-MQT-1",
    ),
    Mutant(
        "a body without seq is refused",
        _BODIES,
        '[_number(body.get(key, 0)) for key in ("seq", "link_id", "correlation_id")]',
        '[_number(body.get(key, 0 if key != "seq" else None)) for key in ("seq", "link_id", "correlation_id")]',
        "HLP-MQT-2",
    ),
    Mutant(
        "a number that is null is refused",
        _BODIES,
        "    body = _present(body)\n",
        "",
        "HLP-MQT-2",
    ),
    Mutant(
        "a payload with a key that is not known is refused",
        _BODIES,
        "    payload, values = _present(payload), {}\n",
        "    payload, values = _present(payload), {}\n"
        "    if unknown := payload.keys() - _fields[model].keys():\n"
        '        raise MessageError(model.__name__, min(unknown), "is not known")\n',
        "HLP-MQT-3",
    ),
    Mutant(
        "a u64 is a number in a body",
        _BODIES,
        "            shown = str if field.wire.code == WIDE else plain\n",
        "            shown = plain\n",
        "HLP-MQT-4",
    ),
    Mutant(
        "a body that is no message is passed over",
        _WIRE,
        "        self._remember(header.correlation_id, publication.correlation_data)\n",
        "        self._remember(header.correlation_id, publication.correlation_data)\n"
        "        if envelope.message is None:\n"
        "            return []\n",
        "HLP-MQT-5",
    ),
    Mutant(
        "the birth is cleared when the first host comes",
        _CLIENTS,
        "        self.ports[name] = port\n",
        "        self.ports[name] = port\n"
        '        self._put(Publication(self._topics.of("status"), b"", retain=True))\n',
        "HLP-MQT-7",
    ),
    Mutant(
        "the first heartbeat of a device is at QoS 0",
        _WIRE,
        'Publication(self.topics.of("heartbeat"), body, qos=qos,',
        'Publication(self.topics.of("heartbeat"), body, qos=0,',
        "HLP-MQT-9",
    ),
    Mutant(
        "a command without Correlation Data is carried out",
        _WIRE,
        '    if publication.correlation_data is None:\n        return "a command needs MQTT\'s Correlation Data"\n',
        "",
        "HLP-MQT-11",
    ),
    Mutant(
        "a command without an expiry is carried out",
        _WIRE,
        "    if publication.expiry_s is None or publication.expiry_s > MAX_COMMAND_EXPIRY_S:",
        "    if publication.expiry_s is not None and publication.expiry_s > MAX_COMMAND_EXPIRY_S:",
        "HLP-MQT-12",
    ),
    Mutant(
        "a command with any expiry is carried out",
        _WIRE,
        "    if publication.expiry_s is None or publication.expiry_s > MAX_COMMAND_EXPIRY_S:",
        "    if publication.expiry_s is None:",
        "HLP-MQT-12",
    ),
    Mutant(
        "Correlation Data is made of the correlation id",
        _WIRE,
        "correlation_data=self._asked.get(correlation_id) if asked else None)",
        'correlation_data=b"%d" % correlation_id if asked else None)',
        "HLP-MQT-13",
    ),
    Mutant(
        "a retained command is carried out",
        _WIRE,
        "    if publication.retain:\n        return",
        "    if False:\n        return",
        "HLP-MQT-14",
    ),
)
"""Mutants of a device behind a broker, each made for a rule: `judge` is its number."""


def attempt_behind(mutant: Mutant | None) -> tuple[dict[str, str], str]:
    """Try a device by the cases of brokers; returns the rules that failed with their cases, and what broke it off."""
    program = shutil.which("mosquitto")
    assert program is not None, "a device behind a broker is tried with mosquitto, which .ci/run installs"
    change = [] if mutant is None else [mutant.file, mutant.text, mutant.replacement]
    line = (sys.executable, "-B", "-m", "tests.soak.matrix.spoilt", "firmware_sim", json.dumps(change))
    failed: dict[str, str] = {}

    def keep(outcome: Outcome, pieces: object) -> Outcome:
        note(failed, outcome.word, outcome.reason, outcome.case.rules, outcome.case.id)
        return outcome

    with (
        tempfile.TemporaryDirectory() as folder,
        running(program, Path(folder)) as broker,
        serve("--mqtt", broker.url(), "--seed", "7", program=line),
    ):
        try:
            hold(Wanted(parse_url(broker.url()), _CASES), keep)
        except DevicectlError as error:
            return failed, str(error)
    return failed, ""
