"""The changes of "Where to start" in docs/architecture.md, made on a copy of the tree: where, and what follows.

Law: a change takes numbers that are free and comes after what is last today, so that these tests still hold when
someone has really made the change. Its names are those that nobody would take.
"""

from pathlib import Path
from typing import Final

import pytest

from devicectl.log.schema import SCHEMA_VERSION
from devicectl.log.store import SessionLog
from firmware_sim.commands.statements import FIRMWARE_VERSION
from firmware_sim.model.constants import PARAMETERS
from firmware_sim.model.interlocks import INTERLOCKS
from protocols.language import alarm_codes
from tests.architecture.changed_tree import ChangedTree
from tests.architecture.tree import ROOT
from tests.integration.log.log_builders import a_stored_session

INTERLOCK: Final = max(INTERLOCKS) + 1
PARAMETER: Final = max(parameter.index for parameter in PARAMETERS) + 1


@pytest.fixture
def tree(tmp_path: Path) -> ChangedTree:
    return ChangedTree(tmp_path)


def test_a_changed_tree_is_what_runs(tree: ChangedTree) -> None:
    tree.append("protocols/language/interlocks.py", "OF_THIS_TEST: Final = 24\n")
    assert tree.run("from protocols.language import interlocks; print(interlocks.OF_THIS_TEST)") == "24\n"
    assert tree.places == {"protocols/language/interlocks.py"}


def test_an_edit_needs_its_place_and_a_run_its_success(tree: ChangedTree) -> None:
    with pytest.raises(AssertionError, match="has 0 times, and not once: 'no such line'"):
        tree.add("protocols/language/units.py", after="no such line", text="")
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        tree.run("1 / 0")
    assert not tree.places


def test_a_number_of_the_memory_is_one_line(tree: ChangedTree) -> None:
    """It is in the image, the file, its replay and what a compacted file has; a file of before has its default."""
    memory = "firmware_sim/memory/contents.py"
    tree.add(memory, after="    canister_ul: float = 0.0\n", text="    purges: int = 5\n")
    assert tree.run(_PURGES) == "5 6 7 8 5\n"
    assert tree.places == {memory}


_PURGES = """
from pathlib import Path
from tempfile import TemporaryDirectory
from firmware_sim.memory.image import restore, snapshot
from firmware_sim.memory.steps import Put
from firmware_sim.memory_file import close, load

found = []
with TemporaryDirectory() as folder:
    for compacted in (False, True, False):
        nvm = load(Path(folder, "device.memory"))
        found.append(nvm.purges)
        nvm.keep(Put("purges", nvm.purges + 1))
        nvm.sync()
        if compacted:
            nvm.store.rewrite()
        close(nvm)
image = snapshot(nvm)
found.append(image.pop("purges"))
print(*found, restore(image).purges)
"""


def test_a_transport_of_the_host_is_one_row_and_one_module(tree: ChangedTree) -> None:
    """The command line takes its URL, help and errors name it, and `connect` opens it."""
    table, module = "devicectl/transports/urls.py", "devicectl/transports/unix_socket.py"
    row = '        Scheme("unix", "unix:///PATH", "unix:///run/handpiece", "unix_socket"),\n'
    tree.add(table, after='        Scheme("tcp", "tcp://HOST:PORT", "tcp://127.0.0.1:4001", "tcp"),\n', text=row)
    tree.create(module, _UNIX_SOCKET)
    said = tree.run(_CONNECT_UNIX_SOCKET).splitlines()
    assert said[0].startswith("device URL unix://...: user: ") and said[0].endswith("for example unix:///run/handpiece")
    assert ", tcp://, unix://, mqtt://" in said[1]
    assert "tcp://HOST:PORT, unix:///PATH or mqtt://HOST/SITE/DEVICE" in said[2]
    assert said[3] == "cannot connect to /no such: No such file or directory"
    assert tree.places == {table, module}


_UNIX_SOCKET = '''
"""A device at a socket in the file system."""

import asyncio
import os
from urllib.parse import unquote

from devicectl.errors import LinkError
from devicectl.transports.tcp import TcpTransport
from devicectl.transports.urls import DeviceUrl, none_left, split
from protocols.serial.wire import SerialWire


def parse(text, row):
    _, path, options = split(text, row)
    none_left(text, options, "no option", row.example)
    return DeviceUrl(text, row.scheme, path=unquote(path))


def make_wire(url, client):
    return SerialWire()


async def open_transport(url, client, receiver):
    try:
        _, opened = await asyncio.get_running_loop().create_unix_connection(lambda: TcpTransport(receiver), url.path)
    except OSError as error:
        raise LinkError(f"cannot connect to {url.path}: {os.strerror(error.errno)}") from error
    return opened
'''

_CONNECT_UNIX_SOCKET = """
import asyncio
from devicectl import LinkError, UrlError, connect
from devicectl.cli.run import _DEVICE

async def fail(url):
    try:
        async with connect(url):
            pass
    except (LinkError, UrlError) as error:
        print(error)

asyncio.run(fail("unix://user@/run/handpiece"))
asyncio.run(fail("nothing"))
print(_DEVICE)
asyncio.run(fail("unix:///no%20such"))
"""

A_SESSION = """
import asyncio, csv, io, json, sys
from contextlib import redirect_stdout
import devicectl
from devicectl.cli import call
from devicectl.log.store import SessionLog

async def session(path):
    with SessionLog.open(path) as log:
        async with devicectl.connect("sim://?seed=7", log=log) as handpiece:
            async with handpiece.open_session(devicectl.Plan(target_cores=10)) as session:
                await session.confirm_anesthesia()
                async for _ in session.run():
                    pass

def said(*arguments):
    with redirect_stdout(io.StringIO()) as out:
        assert call(["sessions", *arguments, "--log", path]) == 0
    return out.getvalue()

path = sys.argv[1]
asyncio.run(session(path))
with SessionLog.open(path) as log:
    print([log.load(key).start.fitted_firmware for key in (1, 2)])
print([json.loads(line)["fitted_firmware"] for line in said("list", "--json").splitlines()])
print([row["fitted_firmware"] for row in csv.DictReader(io.StringIO(said("export", "--table", "sessions")))])
print([line for line in said("show", "2").splitlines() if line.startswith("fitted")])
print([item["fitted_firmware"] for item in map(json.loads, said("export", "2", "--format", "jsonl").splitlines())
       if item["type"] == "session"])
"""


def test_a_field_of_the_session_log_has_two_places(tree: ChangedTree, tmp_path: Path) -> None:
    """Declared and filled; an older log is migrated, and report, lists, tables and exports have it."""
    log = tmp_path / "old.sqlite"
    with SessionLog.open(log) as old:
        a_stored_session(old)
    tree.replace(
        "devicectl/session/entries.py",
        '    versions: Annotated[Mapping[str, str], Kept("versions of product, protocol and model")]\n',
        '    versions: Annotated[Mapping[str, str], Kept("versions of product, protocol and model")]\n'
        '    fitted_firmware: Annotated[str | None, Kept("version of the firmware", '
        f"since={SCHEMA_VERSION + 1})] = None\n",
    )
    tree.add(
        "devicectl/session/engine.py",
        after="            core_diameter_um=info.core_diameter_um,\n",
        text="            fitted_firmware=info.firmware_version,\n",
    )
    assert tree.places == {"devicectl/session/entries.py", "devicectl/session/engine.py"}
    lines = tree.run(A_SESSION.replace("sys.argv[1]", repr(str(log)))).splitlines()
    assert lines == [
        f"[None, '{FIRMWARE_VERSION}']",
        f"[None, '{FIRMWARE_VERSION}']",
        f"['', '{FIRMWARE_VERSION}']",
        f"['fitted firmware\\t{FIRMWARE_VERSION}']",
        f"['{FIRMWARE_VERSION}']",
    ]
    assert log.with_name(f"old.sqlite.schema-{SCHEMA_VERSION}").exists()


def test_a_transport_of_the_device_is_one_row_and_one_module(tree: ChangedTree) -> None:
    """Help and errors name its option; the device is announced and answers there; the report knows its ports."""
    table, module = "firmware_sim/serve/transports/table.py", "firmware_sim/serve/transports/unix_socket.py"
    row = '        Row("unix", "PATH", "at a socket in the file system", "unix_socket", through="the socket"),\n'
    tree.add(table, after='"on TCP; port 0 is any free one (default, alone: 127.0.0.1:0)", "tcp"),\n', text=row)
    tree.create(module, _SERVED_UNIX_SOCKET)
    said = tree.run(_SERVE_UNIX_SOCKET).splitlines()
    assert said[0] == "--unix PATH at a socket in the file system"
    assert said[1] == "firmware-sim: --unix: no path is given"
    assert said[2] == "firmware-sim: --report: made is the same file as --unix made; name another one"
    assert said[3] == "['unix:made'] ['unix'] True"
    assert tree.places == {table, module}


_SERVED_UNIX_SOCKET = '''
"""The device at a socket in the file system."""

import asyncio
from typing import NamedTuple

from firmware_sim.serve.errors import OptionError
from handpiece_shell.files import NamedFile, Use


class SocketPlace(NamedTuple):
    path: str

    @property
    def files(self):
        return [NamedFile("--unix", self.path, Use.HOLD)]

    async def open_transport(self, device):
        loop = asyncio.get_running_loop()
        return Socket(self.path, await loop.create_unix_server(lambda: Connection(device), self.path))


def parse(text, extras):
    if not text:
        raise OptionError("--unix", "no path is given")
    return SocketPlace(text)


class Connection(asyncio.Protocol):
    def __init__(self, device):
        self.device = device

    def connection_made(self, transport):
        self.port = self.device.attach("unix:1", transport.write)

    def data_received(self, data):
        self.device.receive(self.port, data)

    def connection_lost(self, error):
        self.device.detach(self.port)


class Socket:
    warning = ""

    def __init__(self, path, server):
        self.url = f"unix:{path}"
        self.server = server

    async def close(self):
        self.server.close()
'''

_SERVE_UNIX_SOCKET = """
import json
import socket
import tempfile
from os import chdir
from pathlib import Path
from tests.client import Client, TcpChannel
from tests.e2e.serve.test_serve_report import arm
from tests.programs import firmware_sim, serve

chdir(tempfile.mkdtemp())
helped = firmware_sim("serve", "--help").stdout
print(*helped[helped.rindex("--unix PATH") : helped.rindex("--mqtt URL")].split())
for wrong in (["--unix", ""], ["--unix", "made", "--report", "made"]):
    print(firmware_sim("serve", *wrong).stderr, end="")
with serve("--unix", "made", "--report", "report.json", "--param", "anesthesia_wait_s=0") as served:
    channel = TcpChannel.__new__(TcpChannel)
    channel.socket = socket.socket(socket.AF_UNIX)
    channel.socket.connect("made")
    arm(Client(channel))
    channel.socket.close()
    served.stop()
    report = Path("report.json").read_text()
    print(served.urls, json.loads(report)["hosts"][0]["transports"], "while armed, with the socket:" in report)
"""


THIN_SKIN: Final = f"""
    Interlock(
        I.THIN_SKIN,
        "thin skin",
        "a handle too warm for thin skin",
        "warns at {{thin_warn_c:g}} C, no new cycle at {{thin_stop_c:g}} C",
        (AlarmRule(A.THIN_WARM, _LOW, "Too warm soon."), AlarmRule(A.THIN_HOT, _MEDIUM, "Too warm for this skin.")),
        (
            _P({PARAMETER}, "thin_warn_c", "C", 38.0, 0.0, 100.0, "assumption", "of this test"),
            _P({PARAMETER + 1}, "thin_stop_c", "C", 39.0, 0.0, 100.0, "assumption", "of this test"),
        ),
        Limit(
            "temperature_c", "thin_warn_c", "thin_stop_c", "the handle is at {{value:.0f}} C: {{stop:g}} C is the limit"
        ),
    ),
"""

USE_THIN_SKIN: Final = f"""
from devicectl.simulation.spec.c_header import text
from firmware_sim.model.parameters import Parameters
from protocols.language import messages as M
from tests.world import SHORT, Bystander, Lab
from devicectl.errors import CommandRefusedError

lab = Lab(seed=7, parameters={{**SHORT, "thin_warn_c": 10, "thin_stop_c": 20}})
try:
    lab.begin()
except CommandRefusedError as error:
    print(error.interlock, error.sentence)
asked = Bystander(lab)
print(asked.ask(M.AlarmList(index=0)).sentence)
print(asked.ask(M.ParamList(index={PARAMETER + 1})).name)
assert "HLP1_INTERLOCK_THIN_SKIN = {INTERLOCK} " in text() and "THIN_HOT = {INTERLOCK}02 " in text()
"""


def test_an_interlock_is_its_numbers_and_one_row(tree: ChangedTree) -> None:
    interlocks, alarms = "protocols/language/interlocks.py", "protocols/language/alarm_codes.py"
    rows = "firmware_sim/model/interlocks.py"
    tree.append(interlocks, f"THIN_SKIN: Final = {INTERLOCK}\n")
    last = max(code for name, code in vars(alarm_codes).items() if name.isupper())
    (line,) = [line for line in (ROOT / alarms).read_text("utf-8").splitlines(True) if line.endswith(f" = {last}\n")]
    tree.add(alarms, after=line, text=f"THIN_WARM: Final = {INTERLOCK}01\nTHIN_HOT: Final = {INTERLOCK}02\n")
    tree.replace(rows, '\n)\n"""All interlocks', f'{THIN_SKIN})\n"""All interlocks')
    assert tree.places == {interlocks, alarms, rows}

    refused, alarm, parameter = tree.run(USE_THIN_SKIN).splitlines()
    assert refused == f"{INTERLOCK} the handle is at 22 C: 20 C is the limit"
    assert alarm == "Too warm for this skin." and parameter == "thin_stop_c"
    tree.run("from tests.architecture.docs.generate_docs import main; main()")
    page = (tree.folder / "docs/model.md").read_text(encoding="utf-8")
    row = f"| {INTERLOCK} | a handle too warm for thin skin | warns at 38 C, no new cycle at 39 C | MC-{INTERLOCK}01"
    assert row in page
    tree.test("tests/unit/firmware_sim/model/test_parameters.py", "tests/unit/firmware_sim/board/test_alarms.py")
