"""`python -m devicectl`."""

import sys
from pathlib import Path

if not sys.flags.safe_path and Path(sys.path[0]).absolute() != Path(__file__).absolute().parent.parent:
    # As in `firmware_sim`: a folder `protocols` in the user's working directory must not stand for ours.
    del sys.path[0]

from devicectl.cli import main

if __name__ == "__main__":
    main()
