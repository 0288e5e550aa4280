"""Mutants of the device for the rules of leases, commands, cycles and the journal, each made for one."""

from typing import Final

from tests.soak.mutants.mutant import Mutant

PROCEDURE: Final[tuple[Mutant, ...]] = ()
