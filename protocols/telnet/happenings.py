"""Happenings at a serial port over Telnet, in order with the data between them.

Law: values alone.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Break:
    """The host holds its line at zero from now on, or no longer."""

    on: bool


@dataclass(frozen=True, slots=True)
class Purged:
    """The host drops what has been under way: `received` is the device's, `unsent` its own."""

    received: bool
    unsent: bool


@dataclass(frozen=True, slots=True)
class Noted:
    """Something has happened at the port, in words for a trace."""

    text: str


Happening = bytes | Break | Purged | Noted
