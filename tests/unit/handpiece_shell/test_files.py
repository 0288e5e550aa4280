"""Two files of one command line that are one: by name, by link, beside another, and by what was redirected."""

import os
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest

from handpiece_shell.files import Clash, NamedFile, Use, explain_no_file, find_clash
from handpiece_shell.trace_file import open_trace
from tests.patience import patience


def clash(*files: NamedFile) -> Clash | None:
    return find_clash(files)


def written(path: object, option: str = "--trace", beside: tuple[str, ...] = ()) -> NamedFile:
    return NamedFile(option, str(path), Use.WRITE, beside)


def read(path: object) -> NamedFile:
    return NamedFile("--plan", str(path), Use.READ)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").write_text("precious")
    return tmp_path


def by_hard_link(folder: Path) -> str:
    os.link(folder / "there", folder / "other")
    return "other"


def by_symbolic_link(folder: Path) -> str:
    (folder / "link").symlink_to("there")
    return "link"


def by_a_link_to_the_folder(folder: Path) -> str:
    (folder / "elsewhere").symlink_to(folder)
    return "elsewhere/there"


WAYS: list[Callable[[Path], str]] = [
    lambda folder: "there",
    lambda folder: str(folder / "there"),
    lambda folder: "./x/../there",
    by_hard_link,
    by_symbolic_link,
    by_a_link_to_the_folder,
]
WAY_NAMES = ["name", "whole path", "another path", "hard link", "symbolic link", "link to the folder"]


@pytest.mark.parametrize("way", WAYS, ids=WAY_NAMES)
def test_a_file_that_is_read_is_not_written(way: Callable[[Path], str], folder: Path) -> None:
    name = way(folder)
    assert clash(read("there"), written(name)) == Clash(
        "--trace", f"{name} is the same file as --plan there; name another one"
    )


@pytest.mark.parametrize("way", WAYS[1:3] + WAYS[4:], ids=WAY_NAMES[1:3] + WAY_NAMES[4:])
def test_a_file_that_is_not_there_yet_is_written_once(way: Callable[[Path], str], folder: Path) -> None:
    (folder / "there").unlink()
    name = way(folder)
    found = clash(written("there", "--report"), written(name))
    assert found == Clash("--trace", f"{name} is the same file as --report there; name another one")


def test_two_that_are_read_may_be_one() -> None:
    assert clash(read("there"), NamedFile("--config", "there", Use.READ)) is None


def test_files_of_their_own_are_no_clash(folder: Path) -> None:
    (folder / "other").write_text("precious")
    assert (
        clash(read("there"), written("other"), written("new", "--report", (".new",)), written("New2", "--log")) is None
    )


@pytest.mark.parametrize("made", [False, True])
def test_what_is_beside_a_file_is_not_written(made: bool, folder: Path) -> None:
    if made:
        (folder / "log-wal").write_text("precious")
    log = written("log", "--log", ("-wal", "-shm"))
    assert clash(log, written("log-wal")) == Clash(
        "--trace", "log-wal is the same file as log-wal beside --log log; name another one"
    )
    assert clash(written("log-shm"), log) == Clash(
        "--log", "log-shm, kept beside it, is the same file as --trace log-shm; name another one"
    )
    assert clash(log, written("log-journal")) is None


def test_what_is_beside_a_link_is_also_beside_what_it_leads_to(folder: Path) -> None:
    (folder / "link").symlink_to("there")
    log = NamedFile("--log", "link", Use.READ, ("-wal",))
    assert clash(log, written("there-wal")) is not None
    assert clash(log, written("link-wal")) is not None


def test_names_that_differ_in_case_alone_are_one_where_nobody_can_tell(folder: Path) -> None:
    found = clash(written("Report", "--report"), written("report"))
    assert found is not None and "differs from --report Report in case alone" in found.reason
    name = "zügig"
    forms = [unicodedata.normalize(form, name) for form in ("NFC", "NFD")]
    assert clash(written(forms[0], "--report"), written(forms[1])) is not None
    (folder / "REPORT").touch()
    if not (folder / "report").exists():  # this file system tells them apart
        assert clash(written("REPORT", "--report"), written("report")) is None


@pytest.mark.parametrize("name", ["/dev/null", "/dev/stdout", "/dev/stderr", "/dev/fd/1", "/proc/self/fd/2"])
def test_streams_may_be_written_twice(name: str) -> None:
    assert clash(written(name, "--report"), written(name)) is None


def test_a_link_to_a_stream_is_that_stream(folder: Path) -> None:
    (folder / "to-stream").symlink_to("/dev/stdout")
    assert clash(written("to-stream", "--report"), written("to-stream")) is None


def test_links_in_a_ring_are_no_endless_loop(folder: Path) -> None:
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    assert clash(written("a", "--report"), written("c")) is None


def test_a_terminal_may_be_written_twice_and_a_port_may_not() -> None:
    master, slave = os.openpty()
    try:
        name = os.ttyname(slave)
        assert clash(written(name, "--report"), written(name)) is None
        port = NamedFile("the port", name, Use.HOLD)
        assert clash(port, written(name)) == Clash(
            "--trace", f"{name} is the same file as the port {name}; name another one"
        )
    finally:
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize("target", ["nowhere", "/dev/null"], ids=["left behind", "in use"])
def test_the_name_of_a_port_is_not_written(target: str, folder: Path) -> None:
    (folder / "port").symlink_to(target)
    assert clash(NamedFile("--link", "port", Use.HOLD), written("port")) is not None


REDIRECTED = (
    "import sys; from handpiece_shell.files import NamedFile, Use, find_clash; "
    "found = find_clash([NamedFile('--log', path, Use[use]) for path, use in zip(sys.argv[1::2], sys.argv[2::2])]); "
    "open('said', 'w').write(found.reason if found else '')"
)


@pytest.mark.parametrize(
    ("redirected", "files", "said"),
    [
        (">there", ("there", "WRITE"), "there is the same file as standard output; name another one"),
        ("2>>there", ("there", "READ"), "there is the same file as standard error; name another one"),
        (">there", ("/dev/stdout", "WRITE"), ""),
        (">there 2>&1", ("other", "WRITE"), ""),
        (">/dev/null 2>&-", ("/dev/null", "WRITE"), ""),
    ],
)
def test_what_was_redirected_is_a_file_of_the_command(
    redirected: str, files: tuple[str, ...], said: str, folder: Path
) -> None:
    line = ["sh", "-c", f'exec "$@" {redirected}', "sh", sys.executable, "-c", REDIRECTED, *files]
    root = str(Path(__file__).parent.parent.parent)
    subprocess.run(line, check=True, timeout=patience(), env={**os.environ, "PYTHONPATH": root})
    assert (folder / "said").read_text() == said


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 300, "there/below"])
def test_names_that_can_be_no_file_are_left_to_what_opens_them(name: str) -> None:
    assert clash(read("there"), written(name)) is None


def test_without_a_working_folder_names_are_left_to_what_opens_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "gone").mkdir()
    monkeypatch.chdir(folder / "gone")
    (folder / "gone").rmdir()
    assert clash(read("a"), written("b")) is None


def test_the_first_of_several_is_told() -> None:
    for first, second in permutations(["--a", "--b"]):
        found = clash(written("x", first), written("y", second), written("x"), written("y", "--z"))
        assert found == Clash("--trace", f"x is the same file as {first} x; name another one")


# --- the file of a trace -----------------------------------------------------------------------------------------


def test_a_trace_is_there_while_it_is_written(folder: Path) -> None:
    with open_trace("trace", pytest.fail) as write:
        write(["one", "two \udcff", "three\x1b[2J\nfour"])
        assert (folder / "trace").read_text() == "one\ntwo \\udcff\nthree\\x1b[2J\\nfour\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_trace_on_a_full_disk_ends_with_one_warning() -> None:
    warnings: list[str] = []
    with open_trace("/dev/full", warnings.append) as write:
        write(["one"])
        write(["two"])
    assert warnings == ["/dev/full: No space left on device; the trace ends here"]


def test_a_file_that_cannot_be_had_is_explained_by_the_system_or_by_the_error() -> None:
    of_system = explain_no_file("write t.txt", FileNotFoundError(2, "No such file or directory"))
    assert of_system == "cannot write t.txt: No such file or directory; name a file in a folder that exists"
    assert "embedded null byte; name a file" in explain_no_file("write t", ValueError("embedded null byte"))
