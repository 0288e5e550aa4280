"""Statistics as lines for a person, whose terminal may have 80 columns."""

import textwrap
from typing import Final

from devicectl.monitor.histogram import Histogram
from devicectl.monitor.statistics import Sent, Statistics
from protocols.language.units import SECOND

COLUMNS: Final = 80
CELL: Final = 9
_TIMES: Final = "".join(f"{name:>{CELL}}" for name in ("median", "p95", "max"))
_DECIMALS_BELOW_MS: Final = 1000
"""From here on a tenth of a millisecond says enough."""


def report(statistics: Statistics) -> list[str]:
    """Return the lines that a watch ends with."""
    duration_us = statistics.last_us - (statistics.first_us or 0)
    lines = [f"statistics of {duration_us / SECOND:.3f} s, from the first byte to the last"]
    for sender, sent in statistics.sent.items():
        lines += _of_sender(sender, sent, duration_us)
    if statistics.latencies:
        width = max(len("latency, ms"), *map(len, statistics.latencies))
        lines.append(f"{'':{width}}       {'first answer':>{3 * CELL}} {'end':>{3 * CELL}}")
        lines.append(f"{'latency, ms':{width}}  count{_TIMES} {_TIMES}")
        for name, latency in sorted(statistics.latencies.items()):
            count = max(latency.first.count, latency.end.count)
            lines.append(f"{name:{width}} {count:6}{_milliseconds(latency.first)} {_milliseconds(latency.end)}")
    if statistics.unanswered:
        lines.append(f"{statistics.unanswered} requests have no end")
    return lines


def _of_sender(sender: str, sent: Sent, duration_us: int) -> list[str]:
    rate = f", {sent.frames * SECOND / duration_us:.1f} a second" if duration_us else ""
    lines = [f"{sender}: {sent.frames} frames{rate}, at most {sent.most_in_a_second} in one; {sent.bytes} bytes"]
    if sent.retransmitted:
        lines.append(f"  {sent.retransmitted} of them were sent again")
    if sent.errors:
        lines.append(f"  no frames: {', '.join(f'{count} {reason}' for reason, count in sorted(sent.errors.items()))}")
    if sent.messages:
        said = ", ".join(f"{name} {count}".replace(" ", "\xa0") for name, count in sent.messages.most_common())
        wrapped = textwrap.wrap(said, COLUMNS, initial_indent="  ", subsequent_indent="  ")
        lines += [line.replace("\xa0", " ") for line in wrapped]
    return lines


def _milliseconds(histogram: Histogram) -> str:
    if not histogram.count:
        return f"{'-':>{CELL}}" * 3
    times = (histogram.quantile(0.5), histogram.quantile(0.95), histogram.greatest)
    return "".join(_cell(duration_us / 1000) for duration_us in times)


def _cell(ms: float) -> str:
    return f"{ms:{CELL}.{3 if ms < _DECIMALS_BELOW_MS else 1}f}"
