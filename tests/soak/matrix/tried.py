"""One device with a defect, tried by all cases of the kit: `python -m tests.soak.matrix.tried < MUTANT`.

MUTANT is a JSON list: the module's path in the tree, its text, the replacement. Prints a JSON object: `failed` has the
case that failed first of each rule, by the rule's number; `broke` says what broke off the run, "" where nothing did.
"""

import json
import sys

from tests.soak.defect import is_in, put_in
from tests.soak.matrix.kept import note

URL = "sim://?seed=7"


def main() -> None:
    """Put the defect in, and try the device."""
    change = json.load(sys.stdin)
    if change:
        put_in(*change)
    from devicectl.conformance.device.catalogue import DEVICE_CASES
    from devicectl.conformance.device.session import Wanted, hold
    from devicectl.conformance.outcome import Outcome
    from devicectl.errors import DevicectlError
    from devicectl.transports.urls import parse_url

    failed: dict[str, str] = {}
    broke = ""

    def keep(outcome: Outcome, pieces: object) -> Outcome:
        note(failed, outcome.word, outcome.reason, outcome.case.rules, outcome.case.id)
        return outcome

    try:
        hold(Wanted(parse_url(URL), DEVICE_CASES), keep)
    except DevicectlError as error:
        broke = str(error)
    except Exception as error:  # noqa: BLE001 - a device that breaks off is no device
        broke = f"{type(error).__name__}: {error}"
    if change:
        assert is_in(change[0]), f"the kit does not load {change[0]}"
    json.dump({"failed": failed, "broke": broke}, sys.stdout)


if __name__ == "__main__":
    main()
