"""A device with one defect, recorded while it is probed.

    python -m tests.soak.twins.mutated FILE < MUTANT        records a probe of the device with the defect in FILE

MUTANT is a JSON list: the module's path in the tree, its text, the replacement.
"""

import json
import sys
from pathlib import Path

from tests.soak.defect import is_in, put_in


def main() -> None:
    """Put the defect in, and record."""
    file, text, replacement = json.load(sys.stdin)
    put_in(file, text, replacement)
    from tests.soak.twins.probe import probe

    line = probe()
    assert is_in(file), f"the probe does not load {file}"
    Path(sys.argv[1]).write_bytes(line.file())


if __name__ == "__main__":
    main()
