"""Try mutants: `python -m tests.soak.mutants [NAME...] [--jobs 2] [--table]`."""

import argparse

from tests.soak.mutants.runner import MUTANTS, TABLE, kill_all, table


def main() -> int:
    """Run the named ones, or all; the status is the number of those that nobody noticed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--table", action="store_true", help=f"write {TABLE.name}")
    options = parser.parse_args()
    mutants = [mutant for mutant in MUTANTS if not options.names or mutant.name in options.names]
    results = kill_all(mutants, options.jobs)
    print(table(results))
    if options.table:
        TABLE.write_text(table(results), encoding="utf-8")
    return sum(not result.judge for result in results)


if __name__ == "__main__":
    raise SystemExit(main())
