"""Statistics as lines for a person."""

from devicectl.monitor.histogram import Histogram
from devicectl.monitor.statistics import Sent, Statistics
from protocols.language.units import SECOND


def report(statistics: Statistics) -> list[str]:
    """Return the lines that a watch ends with."""
    duration_us = statistics.last_us - (statistics.first_us or 0)
    lines = [f"statistics of {duration_us / SECOND:.3f} s, from the first byte to the last"]
    for sender, sent in statistics.sent.items():
        lines += _of_sender(sender, sent, duration_us)
    if statistics.latencies:
        width = max(map(len, statistics.latencies))
        lines.append(f"{'latency, ms':{width}}   count   first answer: median, p95, max      end: median, p95, max")
        for name, latency in sorted(statistics.latencies.items()):
            lines.append(
                f"{name:{width}} {max(latency.first.count, latency.end.count):7}   "
                f"{_milliseconds(latency.first)}  {_milliseconds(latency.end)}"
            )
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
        lines.append(f"  {', '.join(f'{name} {count}' for name, count in sent.messages.most_common())}")
    return lines


def _milliseconds(histogram: Histogram) -> str:
    if not histogram.count:
        return f"{'-':>10} {'-':>10} {'-':>10}"
    return " ".join(
        f"{duration_us / 1000:10.3f}"
        for duration_us in (histogram.quantile(0.5), histogram.quantile(0.95), histogram.greatest)
    )
