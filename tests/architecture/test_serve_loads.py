"""What `firmware-sim serve` brings into its process: the device and the transport that was asked for, and no host."""

from pathlib import Path
from typing import Final

import pytest

from tests.programs import loaded_by

HOST: Final = frozenset(("devicectl", "sqlalchemy", "sqlite3", "rich", "typer", "transitions", "yaml", "platformdirs"))
"""The host, its log, its progress bar, its command line, its table and its plans."""
TRANSPORTS: Final = frozenset(("aiomqtt", "paho", "serial"))


def loaded(folder: Path, *options: str, code: int = 0) -> set[str]:
    """The packages and modules, by their first name, that a device which served for a moment had loaded."""
    found = loaded_by("firmware_sim", folder, "serve", "--json", "--max-seconds", "0.01", *options, code=code)
    return {name.partition(".")[0] for name in found}


@pytest.mark.parametrize("transport", ["--tcp=127.0.0.1:0", "--pty"])
def test_a_device_loads_no_host_and_no_transport_unasked(transport: str, tmp_path: Path) -> None:
    files = [f"--{option}={tmp_path / option}" for option in ("nvm", "trace", "report", "ready-file")]
    for options in ([], files):
        found = loaded(tmp_path, transport, *options)
        assert {"firmware_sim", "protocols"} <= found
        assert not found & (HOST | TRANSPORTS)


def test_a_device_behind_a_broker_loads_its_client_and_no_host(tmp_path: Path) -> None:
    nobody = "mqtt://127.0.0.1:1/bench/sim-7"
    found = loaded(tmp_path, "--mqtt", nobody, code=3)
    assert found & TRANSPORTS == {"aiomqtt", "paho"}
    assert not found & HOST
