"""Judge of calm: until a fault has fired, nothing of what faults bring is seen."""

import itertools
import sys
from typing import Final

from devicectl.campaign.judges.reading import Found, Reading

_ALARMS: Final = (101, 301, 501, 803, 1001, 1101, 1302, 1401, 1501, 1601, 1901, 2001, 2301)
"""Codes of docs/model.md that chance alone does not raise."""
_INTERLOCKS: Final = (6, 7)
"""Interlocks that speak where needles clog and cores are missed by chance."""


def judge(reading: Reading) -> Found:
    """Find losses of links, NAKs, retries and refusals that nobody has caused, in a session that began as usual."""
    causes = [*reading.of("fired"), *reading.of("host"), *reading.of("unusual")]
    first = min((noted.place for noted in causes), default=sys.maxsize)
    found = []
    welcomes = 0
    for said in itertools.takewhile(lambda said: said.place < first, reading.device_sent):
        frame = said.frame
        welcomes += frame.name == "Welcome"
        if frame.name in ("Nak", "Aborted"):
            found.append((said.at_us, f"{frame.name} {frame.fields['code']}, and no fault has fired"))
        elif frame.name == "Refused" and frame.fields["interlock"] not in _INTERLOCKS:
            found.append((said.at_us, f"REFUSED {frame.fields['code']}, and no fault has fired"))
        elif frame.name == "Alarm" and frame.fields["code"] in _ALARMS:
            found.append((said.at_us, f"alarm {frame.fields['code']}, and no fault has fired"))
    for said in itertools.takewhile(lambda said: said.place < first, reading.host_sent):
        if said.frame.retransmitted:
            found.append((said.at_us, f"{said.frame.name} was sent again, and no fault has fired"))
    if welcomes > 1:
        found.append((reading.end_us, f"{welcomes} links, and no fault has fired"))
    return found
