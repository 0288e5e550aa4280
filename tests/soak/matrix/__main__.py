"""Try devices with a defect: `python -m tests.soak.matrix [NAME...] [--jobs 2] [--keep]`."""

import argparse

from tests.soak.matrix.kept import attempt_all, write
from tests.soak.matrix.runner import GENERAL, KEPT, MADE, attempt


def main() -> int:
    """Try the named ones, or all; the status is the number of those made for a rule that it was not seen to break."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", action="store_true", help=f"write {KEPT.name}, of which `make docs` makes the page")
    options = parser.parse_args()
    mutants = [one for one in (*GENERAL, *MADE) if not options.names or one.name in options.names]
    results = attempt_all(attempt, mutants, options.jobs)
    wanted = {one.name: one.judge for one in MADE}
    missed = 0
    for name, failed, broke in results:
        missed += name in wanted and wanted[name] not in failed
        print(f"{name}: {' '.join(failed) or 'nothing'}{f' ({broke})' if broke else ''}")
    if options.keep:
        write(KEPT, {one.name: one.failed for one in results}, (*GENERAL, *MADE))
    return missed


if __name__ == "__main__":
    raise SystemExit(main())
