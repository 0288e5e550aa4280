"""`--trace` of a run: what was sent is in the file, at once or in blocks."""

from pathlib import Path
from typing import Any

import pytest

from devicectl.cli import run
from devicectl.cli.run import TRACE_BLOCK
from protocols.language.messages import HostHeartbeat
from protocols.language.units import Micros
from protocols.serial.payload import encode_message
from protocols.text.notice import NOTICE

FRAME = encode_message(HostHeartbeat(), 1)
LINE = "    0.000007 s host>device  LINK      HostHeartbeat  seq=1 link=0 correlation=0"


class Screen:
    def say(self, text: str) -> None:
        pytest.fail(text)


def lines_while(path: Path, frames: int, *, at_once: bool) -> tuple[list[str], list[str]]:
    """The file's lines while a session that sent so many frames is under way, and after it failed."""
    screen: Any = Screen()
    try:
        with run._trace_file(path, screen, at_once=at_once) as tap:
            assert tap is not None
            for _ in range(frames):
                tap("host", FRAME, Micros(7))
            meanwhile = path.read_text().splitlines()
            raise RuntimeError("the session failed")
    except RuntimeError:
        return meanwhile, path.read_text().splitlines()


def test_in_real_time_each_frame_is_there_at_once(tmp_path: Path) -> None:
    meanwhile, after = lines_while(tmp_path / "trace", 3, at_once=True)
    assert meanwhile == after == [NOTICE, LINE, LINE, LINE]


def test_in_virtual_time_frames_come_in_blocks_and_none_is_lost(tmp_path: Path) -> None:
    meanwhile, after = lines_while(tmp_path / "trace", TRACE_BLOCK + 3, at_once=False)
    assert meanwhile == [NOTICE, *[LINE] * TRACE_BLOCK]
    assert after == [NOTICE, *[LINE] * (TRACE_BLOCK + 3)]
