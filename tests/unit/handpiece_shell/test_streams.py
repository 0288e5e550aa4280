"""Standard streams that are full, closed, left by their reader, or of a narrow encoding."""

import errno
import io
import os
import sys
from pathlib import Path

import pytest

from handpiece_shell import streams
from handpiece_shell.streams import Output, guard_streams, has_reader, loss_of, say, settle, to_utf8, why_lost


class Failing(io.RawIOBase):
    """A file that takes nothing, for the reason `number`."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.asked = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        self.asked += 1
        raise OSError(self.number, os.strerror(self.number))


def an_output(number: int) -> tuple[Output, Failing]:
    raw = Failing(number)
    return Output(io.BufferedWriter(raw), encoding="utf-8", write_through=True), raw


def a_stream(encoding: str, errors: str = "strict") -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors=errors)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EPIPE, errno.EBADF])
def test_what_cannot_be_written_is_lost_and_asked_for_once(number: int) -> None:
    output, raw = an_output(number)
    assert output.write("text") == 4
    output.flush()
    asked = raw.asked
    assert output.lost is not None and output.lost.errno == number and asked > 0
    print("more" * 10_000, file=output, flush=True)
    assert raw.asked == asked and loss_of(output) is output.lost


@pytest.mark.parametrize(("number", "said"), [(errno.ENOSPC, "No space left on device"), (errno.EBADF, "it is closed")])
def test_a_stream_that_cannot_be_written_says_why(monkeypatch: pytest.MonkeyPatch, number: int, said: str) -> None:
    output, _ = an_output(number)
    monkeypatch.setattr(sys, "stdout", output)
    print("text")
    assert why_lost() == said


def test_of_a_reader_that_has_gone_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    output, _ = an_output(errno.EPIPE)
    monkeypatch.setattr(sys, "stdout", output)
    print("text")
    with pytest.raises(BrokenPipeError):
        why_lost()


def test_what_is_not_guarded_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", a_stream("utf-8"))
    print("text")
    assert why_lost() is None


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_what_an_encoding_lacks_is_replaced(monkeypatch: pytest.MonkeyPatch, encoding: str, errors: str) -> None:
    before = a_stream(encoding, errors), a_stream(encoding, "backslashreplace")
    monkeypatch.setattr(sys, "stdout", before[0])
    monkeypatch.setattr(sys, "stderr", before[1])
    guard_streams()
    print("\u65e5 \ud800 x", flush=True)
    print("\u65e5 x", file=sys.stderr, flush=True)
    assert written(sys.stdout) == b"? ? x\n"
    assert written(sys.stderr) == b"\\u65e5 x\n"


def test_another_way_that_was_chosen_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    before = a_stream("ascii", "xmlcharrefreplace"), a_stream("ascii")
    monkeypatch.setattr(sys, "stdout", before[0])
    monkeypatch.setattr(sys, "stderr", before[1])
    guard_streams()
    print("\u65e5", flush=True)
    assert written(sys.stdout) == b"&#26085;\n"


def test_utf_8_goes_out_with_its_line_ends_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Output(io.BytesIO(), encoding="latin-1", newline="\r\n")
    stream.write("\xfc\n")
    to_utf8(stream)
    stream.write("\xfc\u65e5\n")
    stream.flush()
    assert written(stream) == b"\xfc\r\n" + "\xfc\u65e5\n".encode()
    to_utf8(io.StringIO())


def test_what_is_said_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say("one\x1b[2J", "two\nthree")
    assert capsys.readouterr().err == "one\\x1b[2J\ntwo\\nthree\n"


def test_nobody_hears_what_is_said_where_nobody_can(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for stream in (None, io.TextIOWrapper(io.BufferedWriter(Failing(errno.ENOSPC)), write_through=True)):
        monkeypatch.setattr(sys, "stderr", stream)
        say("lost")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("lost", [True, False])
def test_at_the_end_a_stream_that_lost_something_leads_nowhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lost: bool
) -> None:
    pointed: list[int] = []
    monkeypatch.setattr(streams, "_point", lambda descriptor, how: pointed.append(descriptor))
    monkeypatch.setattr(sys, "stdout", an_output(errno.ENOSPC)[0] if lost else a_stream("utf-8"))
    monkeypatch.setattr(sys, "stderr", a_stream("utf-8"))
    print("text")
    settle()
    assert pointed == ([1] if lost else [])


def written(stream: object) -> bytes:
    assert isinstance(stream, io.TextIOWrapper) and isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue()


def test_a_descriptor_that_leads_nowhere_takes_what_is_written(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path / "file", os.O_CREAT | os.O_WRONLY)
    try:
        streams._point(descriptor, os.O_WRONLY)
        assert os.write(descriptor, b"lost") == 4
    finally:
        os.close(descriptor)
    assert (tmp_path / "file").read_bytes() == b""


def test_a_pipe_whose_reader_has_gone_is_known_before_the_next_write(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    with open(writer, "w", encoding="utf-8") as pipe, (tmp_path / "file").open("w", encoding="utf-8") as file:
        assert has_reader(pipe) and has_reader(file)
        os.close(reader)
        assert not has_reader(pipe)
    assert has_reader(io.StringIO()), "what is no file of the system has whoever reads it"
