"""Cases and their catalogue: what does not fit the rules is named."""

import pytest

from devicectl.conformance.case import CatalogueError, check_catalogue, nearest
from devicectl.conformance.rules import Duty, Level, Rule
from tests.unit.devicectl.conformance.made import a_case

RULES = {
    "HLP-FRM-1": Rule("HLP-FRM-1", Level.MUST, Duty.BOTH, "one"),
    "HLP-LNK-1": Rule("HLP-LNK-1", Level.MUST, Duty.HOST, "two"),
    "HLP-EVT-11": Rule("HLP-EVT-11", Level.SHOULD, Duty.DEVICE, "three"),
}


def test_a_case_weighs_what_its_heaviest_rule_does() -> None:
    assert a_case("a", "HLP-EVT-11").level is Level.SHOULD
    assert a_case("a", "HLP-EVT-11", "HLP-FRM-1").level is Level.MUST


def test_a_right_catalogue_passes() -> None:
    check_catalogue([a_case("a"), a_case("b", "HLP-EVT-11")], Duty.DEVICE, RULES)


@pytest.mark.parametrize(
    ("cases", "end", "said"),
    [
        ([a_case("a"), a_case("a")], Duty.DEVICE, "case a: there are two"),
        ([a_case("a", "HLP-FRM-99")], Duty.DEVICE, "case a: there is no rule HLP-FRM-99"),
        ([a_case("a", "HLP-LNK-1")], Duty.DEVICE, "case a: HLP-LNK-1 is a duty of the host, not of the device"),
        ([a_case("a")], Duty.HOST, "case a: it judges the device"),
        ([a_case("a")._replace(rules=())], Duty.DEVICE, "case a: it shows no rule"),
        ([], Duty.DEVICE, "rule HLP-FRM-1: no case shows it"),
        ([a_case("b", "HLP-EVT-11")], Duty.DEVICE, "rule HLP-FRM-1: no case shows it"),
    ],
)
def test_what_does_not_fit_is_named(cases: list[object], end: Duty, said: str) -> None:
    with pytest.raises(CatalogueError, match=f"^{said}"):
        check_catalogue(cases, end, RULES)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("frm", "'frm.*'"),
        ("FRM.", "'frm.*'"),
        ("frm*", "'frm.*'"),
        ("frm.bad_crc", "frm.bad-crc"),
        ("bad-crc", "frm.bad-crc"),
        ("hlp-evt-12", "HLP-EVT-11"),
        ("something else", ""),
    ],
)
def test_a_name_that_chooses_nothing_is_near_a_case_a_group_or_a_rule(name: str, near: str) -> None:
    assert nearest(name, [a_case("frm.bad-crc"), a_case("evt.refused", "HLP-EVT-11")]) == near
