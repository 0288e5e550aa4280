"""Claims: what the maker of an end says that it has and lacks, so that no case tries what is not there.

    {"claims": 1, "model": "bench unit 4", "links": 1, "lacks": {"cmd.stop-purge": "no pump", "HLP-EVT-12": "no close"}}

`lacks` names cases as `--case` does: a case, a pattern or a rule. What a device says of itself in WELCOME and
DEVICE_INFO is not repeated here, and where it contradicts `model`, the file is of another device.

Law: a claim leaves a case out, with the reason in the words of its writer, and never lets one pass.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from devicectl.conformance.case import Case, matching

VERSION: Final = 1
MAX_LINKS: Final = 64
_RIGHT: Final = '{"claims": 1, "model": "NAME", "links": N, "lacks": {"CASE|CASE*|RULE": "REASON"}}'


class ClaimsError(ValueError):
    """Claims cannot be taken."""


class Stated(NamedTuple):
    """Claims of a file. `lacks` has the cases that it leaves out, each with the reason; "" and None are no claim."""

    model: str = ""
    links: int | None = None
    lacks: Mapping[str, str] = {}


def read_claims(text: str, cases: Sequence[Case]) -> Stated:
    """Return the claims of a file about an end that these cases try.

    Raises:
        ClaimsError: it has none, or names what there is not.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or type(data.get("claims")) is not int or data["claims"] != VERSION:
        raise ClaimsError(f"it has no claims; right is {_RIGHT}")
    if unknown := sorted(set(data) - {"claims", *Stated._fields}):
        raise ClaimsError(f"there is no claim {unknown[0]!r:.80}; right is {_RIGHT}")
    model, links, named = data.get("model", ""), data.get("links"), data.get("lacks", {})
    if not isinstance(model, str):
        raise ClaimsError("model is no text; right is the one of DEVICE_INFO")
    if links is not None and (type(links) is not int or not 1 <= links <= MAX_LINKS):
        raise ClaimsError(f"links is no whole number from 1 to {MAX_LINKS}")
    if not isinstance(named, dict) or not all(isinstance(why, str) and why.strip() for why in named.values()):
        raise ClaimsError('lacks has no reasons; right is {"CASE|CASE*|RULE": "REASON"}')
    lacks: dict[str, str] = {}
    for name, why in named.items():
        found = matching(name, cases)
        if not found:
            raise ClaimsError(f"lacks: no case is {name!r:.80}; --list shows all")
        lacks |= dict.fromkeys(found, f"the claims say: {why}")
    return Stated(model, links, lacks)
