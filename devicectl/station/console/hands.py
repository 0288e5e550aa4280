"""The hands of the person at the controller: what each act starts, and what stands in its way.

Law: nothing is mended for the person. An act that cannot be passed on is a sentence on the screen, and nothing is sent.
"""

from collections.abc import Callable, Mapping
from typing import Final

from devicectl.session.procedures import Procedure, Until
from devicectl.station.console.autopilot import Autopilot
from devicectl.station.console.host import Host
from protocols.language.units import Micros

STARTING: Final = "wait: the controller is starting"


class Hands:
    """The hands at one host. `held` tells that the trigger is held, `ready` that the host takes acts.

    `missed` tells of a trigger that was pressed too early: it does nothing until it is let go and pressed again.
    `pulling` tells that cycles follow each other. `steady_us` is how long the device wants the trigger held before it
    punches, `let_go` the reason for which the trigger was let go last.
    """

    def __init__(self, host: Host, autopilot: Autopilot) -> None:
        self.held = self.missed = self.ready = self.pulling = False
        self.let_go = ""
        self.steady_us = Micros(0)
        self._pressed_at = Micros(0)
        self._host = host
        self._autopilot = autopilot

    def why_not(self, act: str) -> str:
        """Say why an act cannot be passed on now; "" where it can."""
        if act in ("trigger_release", "silence"):
            return ""
        if not self.ready:
            return STARTING
        if self._autopilot.busy and act not in ("stop", "acknowledge"):
            way_out = "switch it off first" if self._autopilot.on else "wait for its end"
            return f"the automatic operator works: {way_out}"
        return self._host.manual.why_not("cycle" if act == "trigger_press" else act)

    def do(self, name: str, arguments: Mapping[str, object]) -> None:
        """Do an act; where it cannot be done, the screen says why."""
        if name == "silence":
            self._host.screen.silence()
        elif name == "trigger_release":
            self.held, self.missed, self.let_go = False, False, str(arguments["why"])
        elif name == "trigger_press":
            self._press()
        else:
            self._pass_on(name, arguments)

    def _press(self) -> None:
        if not self.held:
            self.held, self._pressed_at = True, self._host.commits.now()
        if not self.pulling:
            self.missed = bool(self.why_not("trigger_press"))
            self._pass_on("trigger_press", {})

    def _pass_on(self, name: str, arguments: Mapping[str, object]) -> None:
        host = self._host
        if why := self.why_not(name):
            host.screen.say("refusal", why)
            return
        if name == "stop":
            self._autopilot.leave()
        own = _OWN.get(name)
        procedure = getattr(host.manual, name)(**arguments) if own is None else own(self, **arguments)
        host.start(procedure, by_hand=True)

    def _pull(self) -> Procedure[None]:
        """Let cycle follow cycle while the trigger is held."""
        host = self._host
        self.pulling = True
        try:
            while (yield from self._steady()):
                host.worked((yield from host.manual.cycle()))
                if host.reached:
                    host.screen.say("note", "the target is reached: close the session")
                    return
                if not host.manual.cycles_left:
                    host.screen.say("note", "this cell is done: go to the next one")
                    return
        finally:
            self.pulling = False

    def _steady(self) -> Procedure[bool]:
        """Wait until the trigger is held for as long as the device wants; False where no person holds it any more."""
        while self._pulls() and (steady := Micros(self._pressed_at + self.steady_us)) > self._host.commits.now():
            yield Until(steady, lambda: not self.held)
        return self._pulls()

    def _pulls(self) -> bool:
        return self.held and not self._autopilot.busy

    def _reposition(self, zone: int | None = None, cell: int | None = None) -> Procedure[None]:
        manual = self._host.manual
        yield from manual.reposition_next() if zone is None or cell is None else manual.reposition(zone, cell)
        assert manual.place is not None
        self._host.screen.arrived(manual.place, manual.cycles_left)

    def _reset(self) -> Procedure[None]:
        yield from self._host.manual.reset()
        self._host.total()

    def _close(self) -> Procedure[None]:
        yield from self._host.close()


_OWN: Final[Mapping[str, Callable[..., Procedure[None]]]] = {
    "trigger_press": Hands._pull,
    "reposition": Hands._reposition,
    "reset": Hands._reset,
    "close": Hands._close,
}
"""Act -> what it is beyond an act of the manual operator; all others are one."""
