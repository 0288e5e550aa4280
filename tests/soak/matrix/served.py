"""`firmware-sim` with a defect: `python -m tests.soak.matrix.served MUTANT serve --mqtt ...`, as the command is.

MUTANT is a JSON list: the module's path in the tree, its text, the replacement; an empty one is no defect.
"""

import json
import sys

from tests.soak.defect import put_in


def main() -> None:
    """Put the defect in, and be the program."""
    change = json.loads(sys.argv.pop(1))
    if change:
        put_in(*change)
    from firmware_sim.cli import main as firmware_sim

    firmware_sim()


if __name__ == "__main__":
    main()
