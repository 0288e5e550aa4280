"""Acts of a person at the controller, and what stands in the way of each: by the host's state alone, in words for him.

Law: an act is stopped here only where the device could do nothing with it. Where the device has a rule of its own, as
for ARM without anesthesia, the act is passed on: its refusal teaches more.
"""

from collections.abc import Mapping
from typing import Final

from devicectl.session.machine import ENDED, IN_MOTION, WITH_SESSION, State

UNARMED: Final = (State.SESSION_OPEN, State.ANESTHESIA_WAIT, State.ANESTHESIA_CONFIRMED)
_AT_REST: Final = (*UNARMED, State.ARMED, State.PAUSED)

ACTS: Final[Mapping[str, tuple[State, ...]]] = {
    "anesthesia_start": UNARMED,
    "anesthesia_confirm": (State.ANESTHESIA_WAIT,),
    "arm": UNARMED,
    "disarm": (State.ARMED, State.PAUSED),
    "cycle": (State.ARMED,),
    "reposition": (State.ARMED,),
    "purge": (State.ARMED,),
    "pause": (State.ARMED,),
    "resume": (State.PAUSED,),
    "stop": WITH_SESSION,
    "acknowledge": WITH_SESSION,
    "reset": (State.RECOVERING,),
    "relink": (State.RECOVERING,),
    "close": (*_AT_REST, State.RECOVERING),
}
"""Act -> the states of the host in which it is passed on; if it may be done then, the device says."""
AT_ONCE: Final = ("stop", "acknowledge")
"""Acts that do not wait for the end of another one."""

_NO_SESSION: Final = "no session is open"
_BY_STATE: Final[Mapping[State, str]] = {
    State.DISCONNECTED: _NO_SESSION,
    State.CONNECTING: _NO_SESSION,
    State.IDLE: _NO_SESSION,
    **dict.fromkeys(UNARMED, "arm the handpiece first"),
    State.ARMED: "disarm the handpiece first",
    **dict.fromkeys(IN_MOTION, "wait: the handpiece is moving"),
    State.PAUSED: "resume first",
    State.RECOVERING: "the handpiece has stopped: reset it first",
    State.CLOSING: "wait: the session is being closed",
    **dict.fromkeys(ENDED, "the session has ended"),
}
_BY_ACT: Final[Mapping[tuple[str, State], str]] = {
    ("anesthesia_start", State.PAUSED): "disarm the handpiece first",
    ("anesthesia_confirm", State.SESSION_OPEN): "no zone is numbed: start the anesthesia first",
    ("anesthesia_confirm", State.ANESTHESIA_CONFIRMED): "every zone that was numbed is confirmed",
    ("anesthesia_confirm", State.PAUSED): "disarm the handpiece first",
    ("arm", State.ARMED): "the handpiece is armed",
    ("arm", State.PAUSED): "the handpiece is armed: resume, or disarm it",
    ("disarm", State.SESSION_OPEN): "the handpiece is not armed",
    ("disarm", State.ANESTHESIA_WAIT): "the handpiece is not armed",
    ("disarm", State.ANESTHESIA_CONFIRMED): "the handpiece is not armed",
    ("pause", State.PAUSED): "the treatment is paused",
    ("resume", State.ARMED): "the treatment is not paused",
    **{("reset", state): "nothing holds the handpiece: there is nothing to reset" for state in _AT_REST},
    **{("relink", state): "the link is there" for state in _AT_REST},
}
"""Sentences on what stands in the way: of an act in a state, else of any in that state."""


def obstacle(act: str, state: State) -> str:
    """Say what stands in the way of an act of `ACTS` in this state; "" where nothing does."""
    return "" if state in ACTS[act] else _BY_ACT.get((act, state), _BY_STATE[state])
