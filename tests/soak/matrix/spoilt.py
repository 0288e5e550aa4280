"""One of our programs with a defect: `python -m tests.soak.matrix.spoilt PACKAGE MUTANT ...`, else as the program is.

PACKAGE is `devicectl` or `firmware_sim`. MUTANT is a JSON list: the module's path in the tree, its text, the
replacement; an empty one is no defect.
"""

import importlib
import json
import sys

from tests.soak.defect import put_in


def main() -> None:
    """Put the defect in, and be the program."""
    package, change = sys.argv.pop(1), json.loads(sys.argv.pop(1))
    if change:
        put_in(*change)
    importlib.import_module(f"{package}.cli").main()


if __name__ == "__main__":
    main()
