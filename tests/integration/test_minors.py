"""Two versions of the code meet: this one, and a copy of it whose minor is one higher, with a message and a field more.

Each end runs in a process of its own, from its own tree.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

import pytest

from protocols.language.schema import schema_id
from protocols.language.version import MINOR
from tests.architecture.changed_tree import ChangedTree
from tests.architecture.tree import ROOT
from tests.one_end import Said

_NEXT: Final = MINOR + 1
_MESSAGES: Final = f'''

class Ping(Command["PingDone"], id=0x00F0, lane=Lane.QUERY, since={_NEXT}):
    """Ask for an answer."""

    number: U8


class PingDone(Message, id=0x00F0, kind=Kind.REPLY, since={_NEXT}):
    """The answer."""

    number: U8


class Pinged(Message, id=0x00F1, kind=Kind.EVENT, since={_NEXT}):
    """Somebody asked."""

    number: U8
'''
_COMMAND: Final = '''    """Ask for the device's identity.

    No payload.
    """
'''


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree whose protocol has a minor more: three messages, and a field each in a command and in its answer."""
    tree = ChangedTree(tmp_path_factory.mktemp("newer"))
    tree.replace("protocols/language/version.py", f"MINOR: Final = {MINOR}", f"MINOR: Final = {_NEXT}")
    path = tree.folder / "protocols/language/messages/link.py"
    path.write_text(path.read_text(encoding="utf-8") + _MESSAGES, encoding="utf-8")
    identity = "protocols/language/messages/identity.py"
    tree.replace(identity, "import S16", "import Since, S16")
    tree.add(identity, after=_COMMAND, text=f"\n    detail: Annotated[U8, Since({_NEXT})]\n")
    tree.add(identity, after="    cartridge_life_cycles: U32\n", text=f"    detail: Annotated[U8, Since({_NEXT})]\n")
    tree.add(
        "firmware_sim/commands/statements.py",
        after="    return DeviceInfoDone(\n",
        text="        detail=9,\n",
    )
    return tree.folder


class Process:
    """One end, as `tests.one_end` of the tree in `folder` runs it."""

    def __init__(self, folder: Path, side: str, wire: str) -> None:
        environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.one_end", side, wire],
            cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.heard: list[str] = []
        """All that has happened at this end."""

    def step(self, verb: str, argument: Any = None) -> Said:
        steps, answers = self._pipes()
        pickle.dump((verb, argument), steps)
        steps.flush()
        said = Said(*pickle.load(answers))
        self.heard += said.happened
        return said

    def close(self) -> None:
        for pipe in self._pipes():
            pipe.close()
        assert self._process.wait() == 0

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        assert self._process.stdin is not None and self._process.stdout is not None
        return self._process.stdin, self._process.stdout


class Pair:
    """A host and a device, each of its own tree, and a wire between them that loses nothing."""

    def __init__(self, host: Path, device: Path, wire: str) -> None:
        self.host, self.device = Process(host, "host", wire), Process(device, "device", wire)
        self.carry(self.host.step("begin").sent)

    @property
    def linked(self) -> bool:
        return self.host.step("look").linked and self.device.step("look").linked

    def carry(self, to_device: list[Any], to_host: list[Any] | None = None) -> None:
        """All that both ends have to say."""
        while to_device or to_host:
            said = self.device.step("receive", to_device)
            heard = self.host.step("receive", [*(to_host or []), *said.sent])
            to_device, to_host = heard.sent, []

    def ask(self, name: str, **fields: int) -> str:
        """How a command of the host ends."""
        self.carry(self.host.step("say", (name, fields)).sent)
        return self.host.heard[-1]

    def tell(self, name: str, **fields: int) -> None:
        """The device tells its host something."""
        self.carry([], self.device.step("say", (name, fields)).sent)


@pytest.fixture(params=["serial", "mqtt"])
def wire(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def pair(request: pytest.FixtureRequest, newer: Path, wire: str) -> Iterator[Pair]:
    host, device = (newer if age == "newer" else ROOT for age in request.param)
    pair = Pair(host, device, wire)
    yield pair
    pair.host.close()
    pair.device.close()


@pytest.mark.parametrize("pair", [("older", "newer")], indirect=True)
def test_an_older_host_is_welcomed_by_a_newer_device_and_passes_over_what_it_does_not_know(pair: Pair) -> None:
    assert pair.linked
    assert f"minor {MINOR}" in pair.host.heard and f"minor {_NEXT}" in pair.device.heard
    pair.tell("Pinged", number=3)
    assert not [one for one in pair.host.heard if "Pinged" in one or one.startswith("lost")]
    answer = pair.ask("DeviceInfo")
    assert answer.startswith("ended DeviceInfoDone(model=") and "detail" not in answer
    assert pair.linked


@pytest.mark.parametrize("pair", [("newer", "older")], indirect=True)
def test_a_newer_host_is_welcomed_by_an_older_device_and_told_what_that_does_not_know(pair: Pair) -> None:
    assert pair.linked
    assert f"minor {_NEXT}" in pair.host.heard and f"minor {MINOR}" in pair.device.heard
    assert "E_UNKNOWN_MESSAGE" in pair.ask("Ping", number=3)
    answer = pair.ask("DeviceInfo", detail=1)
    assert answer.startswith("ended DeviceInfoDone(model=") and answer.endswith("detail=0)"), "the missing field is 0"
    assert pair.linked


@pytest.mark.parametrize("pair", [("newer", "newer")], indirect=True)
def test_two_newer_ends_have_the_message_and_the_field(pair: Pair) -> None:
    assert pair.linked
    assert pair.ask("DeviceInfo", detail=1).endswith("detail=9)")
    assert "E_UNSUPPORTED" in pair.ask("Ping", number=3), "known, and not carried out"
    pair.tell("Pinged", number=3)
    assert pair.host.heard[-1] == "told Pinged(number=3)"


def test_the_newer_tree_has_the_schema_of_this_minor_too_and_tells_since_when(newer: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(newer), "PYTHONDONTWRITEBYTECODE": "1"}
    code = (
        "from protocols.language.schema import schema_id; from devicectl.simulation.spec.message_tables import page;"
        f"print(schema_id({MINOR}), schema_id({_NEXT})); print(page())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=newer, env=environment, capture_output=True, text=True, check=True
    )
    this, following = map(int, done.stdout.splitlines()[0].split())
    assert this == schema_id(MINOR) != following
    assert done.stdout.count(f"Since minor {_NEXT}.") == 3, "messages"
    assert done.stdout.count(f"| `detail` (since minor {_NEXT}) |") == 2, "fields"
