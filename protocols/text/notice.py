"""Notice on every screen and export: people forget that they are on a virtual device."""

from typing import Final

NOTICE: Final = "TRAINING SIMULATOR - NOT A MEDICAL DEVICE"
