"""CRC-32C, from one library for frames, schemas, memory and parameters: decision 3."""

from collections.abc import Callable
from typing import Final

import google_crc32c

crc32c: Final[Callable[[bytes], int]] = google_crc32c.value
"""CRC-32C (Castagnoli) of some bytes, 0 to 2**32 - 1."""
