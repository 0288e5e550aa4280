"""`devicectl` with one defect: `python -m tests.soak.matrix.spoilt_host FILE TEXT REPLACEMENT run ...`, for the kit."""

import sys

from tests.soak.defect import put_in


def main() -> None:
    """Put the defect in, and be `devicectl`."""
    file, text, replacement, *line = sys.argv[1:]
    put_in(file, text, replacement)
    from devicectl.cli import main as devicectl

    sys.argv = ["devicectl", *line]
    devicectl()


if __name__ == "__main__":
    main()
