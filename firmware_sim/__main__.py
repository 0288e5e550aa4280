"""`python -m firmware_sim`."""

import sys
from pathlib import Path

if not sys.flags.safe_path and Path(sys.path[0]).absolute() != Path(__file__).absolute().parent.parent:
    # The user's working directory: a folder `protocols` in it must not be taken for ours.
    del sys.path[0]

from firmware_sim.cli import main

if __name__ == "__main__":
    main()
