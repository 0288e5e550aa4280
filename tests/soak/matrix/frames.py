"""Mutants of the device for the rules of frames, payloads and links, each made for one."""

from typing import Final

from tests.soak.mutants.mutant import Mutant

FRAMES: Final[tuple[Mutant, ...]] = ()
