"""Claims: they leave cases out with their writer's reason, and a file that is wrong is said."""

import json

import pytest

from devicectl.conformance.claims import MAX_LINKS, ClaimsError, Stated, read_claims
from devicectl.conformance.device.catalogue import DEVICE_CASES


def read(**claims: object) -> Stated:
    return read_claims(json.dumps({"claims": 1, **claims}), DEVICE_CASES)


def test_what_is_lacking_is_named_as_cases_are_chosen() -> None:
    lacks = read(lacks={"cmd.stop-purge": "no pump", "frm.*": "no frames", "HLP-EVT-12": "no close"}).lacks
    assert lacks["cmd.stop-purge"] == "the claims say: no pump"
    by_pattern = {case.id for case in DEVICE_CASES if case.id.startswith("frm.")}
    by_rule = {case.id for case in DEVICE_CASES if "HLP-EVT-12" in case.rules}
    assert len(by_pattern) > 10 and by_rule
    assert set(lacks) == {"cmd.stop-purge"} | by_pattern | by_rule


def test_what_is_not_claimed_is_left_open() -> None:
    assert read() == Stated("", None, {})
    assert read(model="unit 4", links=1) == Stated("unit 4", 1, {})


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"claims": 2}', '{"claims": true}', '{"baseline": 1, "known": {}}', "[" * 100_000],
)
def test_what_has_no_claims_is_said(text: str) -> None:
    with pytest.raises(ClaimsError, match=r"^it has no claims; right is \{"):
        read_claims(text, DEVICE_CASES)


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"lack": {}}, "there is no claim 'lack'; right is {"),
        ({"model": 4}, "model is no text"),
        ({"links": 0}, f"links is no whole number from 1 to {MAX_LINKS}"),
        ({"links": True}, f"links is no whole number from 1 to {MAX_LINKS}"),
        ({"links": MAX_LINKS + 1}, f"links is no whole number from 1 to {MAX_LINKS}"),
        ({"lacks": ["frm.*"]}, "lacks has no reasons"),
        ({"lacks": {"frm.*": " "}}, "lacks has no reasons"),
        ({"lacks": {"frm.*": 1}}, "lacks has no reasons"),
        ({"lacks": {"no.such": "x"}}, "lacks: no case is 'no.such'; --list shows all"),
    ],
)
def test_a_claim_that_is_wrong_is_named(claims: dict[str, object], says: str) -> None:
    with pytest.raises(ClaimsError) as raised:
        read(**claims)
    assert str(raised.value).startswith(says)
