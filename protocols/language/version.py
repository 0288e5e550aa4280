"""Version of the protocol."""

from typing import Final

MAJOR: Final = 1
MINOR: Final = 1
"""The newest minor that this version speaks."""
PROTOCOL: Final = f"HLP/{MAJOR}"
"""The protocol's name, as it is shown."""
