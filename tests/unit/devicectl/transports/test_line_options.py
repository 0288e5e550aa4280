"""Options of a serial line in a URL; which values are wrong, `test_urls` has."""

import pytest

from devicectl.errors import UrlError
from devicectl.transports.line_options import MAX_WAIT_S, parse_line
from devicectl.transports.urls import SerialLine

EXAMPLE = "serial:///dev/ttyUSB0?dtr=0"


def test_the_options_of_a_line_are_taken_out() -> None:
    options = {"wait": str(MAX_WAIT_S), "dtr": "0", "rts": "1", "rtscts": "0", "other": "x"}
    assert parse_line(EXAMPLE, options, EXAMPLE) == SerialLine(float(MAX_WAIT_S), dtr=False, rts=True)
    assert options == {"other": "x"}
    assert parse_line(EXAMPLE, {}, EXAMPLE) == SerialLine()


def test_an_error_shows_the_example_that_was_given() -> None:
    with pytest.raises(UrlError, match=r"dtr: its value is neither 0 nor 1; for example serial:///dev/ttyUSB0\?dtr=0"):
        parse_line(EXAMPLE, {"dtr": "high"}, EXAMPLE)
