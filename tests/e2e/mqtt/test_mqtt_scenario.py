"""A device behind a real broker under the faults of a scenario: publications are lost, twice or late; it is cut off."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.brokers import TOPICS, Mosquitto
from tests.e2e.mqtt.test_mqtt_traffic import Capture, subscribed, viewer
from tests.e2e.processes import wait_until
from tests.programs import serve

FAULTS: dict[str, dict[str, Any]] = {
    "drop": {},
    "duplicate": {},
    "latency": {"added_ms": 5, "for_ms": 50},
    "publish_doubled": {},
    "publish_reordered": {"by_ms": 5},
    "broker_frozen": {"for_ms": 50},
}


def written(folder: Path, name: str, values: dict[str, Any]) -> str:
    path = folder / "scenario.yaml"
    fault = {"fault": name, "when": 'frame("ECHO", 2)', **values}
    path.write_text(json.dumps({"seed": 7, "faults": [fault]}), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", FAULTS)
def test_a_host_gets_over_each_fault_of_single_publications(mosquitto: Mosquitto, tmp_path: Path, name: str) -> None:
    path = written(tmp_path, name, FAULTS[name])
    with serve("--mqtt", mosquitto.url(), "--scenario", path) as device, viewer(mosquitto) as host:
        host.link()
        for number in range(4):
            host.echo(bytes([number]))
        assert device.stop() == 0


def test_a_cut_line_lets_the_broker_say_the_will_and_the_device_is_born_again(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    path, capture = written(tmp_path, "disconnect", {"when": 'frame("HELLO", 1)', "for_ms": 300}), Capture()
    with (
        subscribed(mosquitto, [TOPICS.of("status")], capture.take),
        serve("--mqtt", mosquitto.url(), "--scenario", path) as device,
        viewer(mosquitto) as host,
    ):
        host.greet()
        for publication in host.exchange.take():
            host.channel.send(publication)
        wait_until(lambda: sum(b'"online":true' in one.body for one in capture.seen) >= 2, "a second birth")
        assert any(b'"online":false' in one.body for one in capture.seen), [one.body for one in capture.seen]
        host.link()
        host.echo()
        assert device.stop() == 0
