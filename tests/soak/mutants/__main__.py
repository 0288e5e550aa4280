"""Try mutants: `python -m tests.soak.mutants [NAME...] [--jobs 2] [--keep]`."""

import argparse

from tests.soak.mutants.runner import KEPT, MUTANTS, keep, kill_all


def main() -> int:
    """Run the named ones, or all; the status is the number of those that nobody noticed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", action="store_true", help=f"write {KEPT.name}, of which `make docs` makes the page")
    options = parser.parse_args()
    mutants = [mutant for mutant in MUTANTS if not options.names or mutant.name in options.names]
    results = kill_all(mutants, options.jobs)
    if options.keep:
        keep(results)
    return sum(not result.judge for result in results)


if __name__ == "__main__":
    raise SystemExit(main())
