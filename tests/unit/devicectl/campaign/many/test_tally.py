"""Tallies and the report made of them."""

import json
from collections import Counter
from itertools import permutations
from xml.etree import ElementTree

from devicectl.campaign.many.campaign import Campaign
from devicectl.campaign.many.junit import junit
from devicectl.campaign.many.report import WIDTH, claim, lines, report_data
from devicectl.campaign.many.tally import Failure, Tally

CAMPAIGN = Campaign({"kinds": {}}, sessions=250, cycles=20, seed=1)
COMMAND = "devicectl campaign --cycles 20"


def a_tally(seed: int, word: str = "right") -> Tally:
    tally = Tally(sessions=1, lives=2, virtual_us=seed, words=Counter([word]), endings=Counter(["completed"]))
    tally.fired["drop punch"] += seed
    tally.saw("host", "ARMED > PUNCHING")
    if word != "right":
        tally.failures.append(Failure(seed, word, "motion", 1_500_000, "a stroke\nwithout a link", [{"fault": "drop"}]))
    return tally


def added(*tallies: Tally) -> Tally:
    total = Tally()
    for tally in tallies:
        total.add(tally)
    return total


def test_tallies_add_up_to_the_same_in_any_order() -> None:
    parts = [a_tally(3, "wrong"), a_tally(1), a_tally(2, "stuck")]
    found = {json.dumps(added(*order).to_json()) for order in permutations(parts)}
    assert len(found) == 1


def test_a_tally_survives_json() -> None:
    tally = added(a_tally(3, "wrong"), a_tally(1))
    assert Tally.from_json(json.loads(json.dumps(tally.to_json()))) == tally


def test_no_failure_is_stated_by_the_rule_of_three_and_never_as_none() -> None:
    assert claim(added(a_tally(1), a_tally(2))) == "0 of 2 sessions were wrong or stuck: below 3 in 2 at 95 %"
    assert claim(added(a_tally(1), a_tally(2, "stuck"))) == "1 of 2 sessions were wrong or stuck"
    assert claim(Tally()) == "0 sessions were judged"


def test_the_report_says_what_failed_how_to_repeat_it_and_that_it_is_a_simulator() -> None:
    data = report_data(CAMPAIGN, added(a_tally(3, "wrong"), a_tally(1)), command=COMMAND, seconds=2.0)
    text = "\n".join(lines(data))
    assert "seed 3: wrong by motion, at 1.500 s: without a link" in text
    assert "devicectl campaign --cycles 20 --sessions 1 --seed 3" in text
    assert "All of this is about a simulator" in text
    assert max(map(len, text.splitlines())) <= WIDTH
    assert data["times"] == {"seconds": 2.0, "sessions_per_s": 1.0}


def test_what_was_never_seen_is_listed_and_what_was_seen_is_not() -> None:
    never = report_data(CAMPAIGN, a_tally(1), command=COMMAND, seconds=1)["never_seen"]
    names = {(one["what"], one["name"]) for one in never}
    assert ("host", "ARMED > PUNCHING") not in names
    assert ("fault", "drop") not in names
    assert {("host", "PUNCHING > SUCTIONING"), ("fault", "flip"), ("refusal", "E_BUSY"), ("interlock", "1")} <= names


def test_junit_has_a_case_a_block_of_seeds_and_one_a_failure() -> None:
    data = report_data(CAMPAIGN, added(a_tally(3, "wrong"), a_tally(1)), command=COMMAND, seconds=1)
    root = ElementTree.fromstring(junit(data, CAMPAIGN.tasks()))
    blocks = [f"seeds {block[0]} to {block[-1]}" for block in CAMPAIGN.tasks()]
    assert root.attrib == {"tests": str(len(blocks) + 1), "failures": "1", "errors": "0"}
    names = [case.attrib["name"] for case in root.iter("testcase")]
    assert names == [*blocks, "seed 3"]
    failure = next(root.iter("failure"))
    assert failure.attrib["type"] == "wrong"
    assert "--seed 3" in str(failure.text)
