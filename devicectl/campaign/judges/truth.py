"""Judge of the truth: the plant has moved as often as the rows say, and the sensor has seen what they count."""

from devicectl.campaign.judges.exactly_once import count
from devicectl.campaign.judges.ledgers import Ledgers
from devicectl.campaign.judges.reading import Found, Reading


def judge_ledgers(reading: Reading, ledgers: Ledgers) -> Found:
    """Hold the rows against what the plant has really done."""
    found, truth = count(ledgers), ledgers.truth
    doubtful, unwritten = ledgers.needles * found["ambiguous"], ledgers.unwritten
    breaches = []
    # name in truth, name in the rows, how much more or less of it one write that power left may make
    for name, mine, doubt in (
        ("cycles_commanded", "cycles", 1),
        ("cycles_completed", "completed", 1),
        ("cores_counted", "cores_counted", ledgers.needles),
        ("punctures", "punctures", ledgers.needles),
    ):
        least = found[mine] - unwritten * doubt - (doubtful if name == "punctures" else 0)
        most = found[mine] + (0 if name == "punctures" else unwritten * doubt)
        if not least <= truth[name] <= most:
            breaches.append(f"{name} is {truth[name]} in truth, the rows allow {least} to {most}: {found}")
    if truth["cores_evacuated"] > truth["punctures"]:
        breaches.append(f"more cores than punctures: {dict(truth)}")
    if truth["punctures"] > ledgers.needles * truth["cycles_commanded"]:
        breaches.append(f"more punctures than needles in all cycles: {dict(truth)}")
    return [(reading.end_us, sentence) for sentence in breaches]
