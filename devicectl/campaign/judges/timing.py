"""Judge of time: the needles are home within 800 ms of the last valid frame that the device heard."""

from typing import Final

from devicectl.campaign.judges.ledgers import Ledgers
from devicectl.campaign.judges.reading import Reading

HOME_WITHIN_US: Final = 800_000
"""docs/protocol.md: a lease of 600 ms, then 150 ms for the retraction."""


def judge(reading: Reading, ledgers: Ledgers) -> list[tuple[int, str]]:
    """Hold every time at which needles were out against the frames that the device heard."""
    heard = [said.at_us for said in reading.said if said.where == ">device"]
    found: list[tuple[int, str]] = []
    out_since: int | None = None
    for at_us, event in reading.of("needles"):
        home_at = event["home_at"]
        if home_at is None:
            out_since = at_us if out_since is None else out_since
            continue
        if out_since is not None:
            last = max((time for time in heard if time <= home_at), default=0)
            if home_at > last + HOME_WITHIN_US:
                found.append((home_at, f"needles home {(home_at - last) // 1000} ms after the last valid frame"))
            out_since = None
    if out_since is not None:
        found.append((out_since, "needles are still out"))
    return found
