"""A device from power-on to power-off: memory, trace, transports, and what ends it.

Law: whatever was opened is closed again, in the opposite order, however it ends.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from firmware_sim.clock import monotonic
from firmware_sim.device import Device
from firmware_sim.errors import NvmFileError, ParameterError, UnknownParameterError
from firmware_sim.memory.journal import FIRST_EVENT_NO
from firmware_sim.memory.nvm import Nvm
from firmware_sim.model.parameters import Parameters, nearest
from firmware_sim.powering import StartError, close_memory, open_memory, power_on, seed_for
from firmware_sim.serve.announcement import Announcement, ReadyFile
from firmware_sim.serve.errors import OptionError, ServeError
from firmware_sim.serve.options import Options, draw_seed
from firmware_sim.serve.real_time import OpenTap, RealTimeDevice
from handpiece_shell.patient_file import hurry
from handpiece_shell.streams import say
from protocols.language.units import Micros

if TYPE_CHECKING:
    from firmware_sim.faults.fault import Fault
    from firmware_sim.faults.injector import Firing
    from firmware_sim.serve.recording import Recorder
    from firmware_sim.serve.report.report import Report, ReportFile
    from firmware_sim.serve.scenario import ServedFaults
    from firmware_sim.serve.transports.table import Place, Transport

ORPHAN_CHECK_S: Final = 0.5
"""Seconds between looks at the parent: a port should be free again before anyone misses it."""
SIGNALS: Final = ("SIGTERM", "SIGINT", "SIGHUP")
"""Signals that ask a device to end; not every system has all."""
_NO_PARAMETERS: Final = ("seed", "nvm")
"""Options beside the parameters in a device URL, which users mistake for parameters."""


class Reason(Enum):
    """Reason for a device to end."""

    SIGNAL = "it was asked to by a signal"
    ORPHANED = "the program that started it is gone"
    TIME_OVER = "its time is over"


class Ending:
    """The end that a service waits for: the first reason, or the first error."""

    def __init__(self, keep_running: bool | None = None) -> None:
        """With `keep_running` neither the end of the parent nor SIGHUP ends it; None: where SIGHUP is ignored."""
        self._loop = asyncio.get_running_loop()
        self._outlives = _is_hup_ignored() if keep_running is None else keep_running
        if self._outlives and not _is_hup_ignored():
            _ignore_hup()
        self.reached: asyncio.Future[Reason] = self._loop.create_future()
        """Done with the reason, or with the error that the device does not survive."""
        self._parent = os.getppid()

    def end(self, reason: Reason) -> None:
        """End for a reason."""
        if not self.reached.done():
            self.reached.set_result(reason)

    def fail(self, error: BaseException) -> None:
        """End by an error that the device does not survive."""
        if not self.reached.done():
            self.reached.set_exception(error)
            self.reached.exception()  # it counts as seen, also where a second end comes first

    def watch_signals(self, heard: Callable[[int], None] | None = None) -> None:
        """End at a signal, cleanly; or have it `heard`, by its number, in place of that."""
        for name in SIGNALS:
            number = getattr(signal, name, None)
            if number is not None and not (name == "SIGHUP" and _is_hup_ignored()):
                with contextlib.suppress(NotImplementedError):  # a loop that cannot: Ctrl-C is a KeyboardInterrupt
                    self._loop.add_signal_handler(number, heard or self._signalled, number)
                    # The loop is woken all the same; a reader that does not read must not keep it from that.
                    signal.signal(number, lambda *_: hurry())

    def watch_parent(self) -> None:
        """End when the parent of this process has died, which shows as another parent.

        If it had died before this process looked, writing the announcement fails instead: nobody reads that pipe.
        """
        if self._outlives:
            return
        if os.getppid() != self._parent:
            say(f"firmware-sim: {Reason.ORPHANED.value}, and so the device ends; with --keep-running it stays")
            self.end(Reason.ORPHANED)
        else:
            self._loop.call_later(ORPHAN_CHECK_S, self.watch_parent)

    def watch_clock(self, max_seconds: float | None) -> None:
        """End after `max_seconds`."""
        if max_seconds is not None:
            self._loop.call_later(max_seconds, self.end, Reason.TIME_OVER)

    def watch_loop(self) -> None:
        """End at once by any defect; asyncio would print it and continue in an unknown state."""
        self._loop.set_exception_handler(self._handle)

    def _signalled(self, number: int) -> None:
        self.end(Reason.SIGNAL)

    def _handle(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, NvmFileError):
            self.fail(ServeError(f"--nvm {error}"))
        elif error is None or isinstance(error, OSError):  # a connection that broke, or one that could not be taken
            loop.default_exception_handler(context)
        else:
            self.fail(error)


def _is_hup_ignored() -> bool:
    """True if this process is to outlive its terminal, as `nohup` has it."""
    return hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def _ignore_hup() -> None:
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


class Service:
    """A device that answers. `ending` says when it should no longer.

    `faults`, where a report was asked for, are the codes for which it is not good: known once the device has ended.
    """

    def __init__(self, announcement: Announcement, ending: Ending, scenario: "ServedFaults | None") -> None:
        self.announcement = announcement
        self.ending = ending
        self.faults: list[str] = []
        self.scenario = scenario

    @property
    def unfired(self) -> list[str]:
        """Sentences about the faults of a scenario that have changed nothing."""
        return [] if self.scenario is None else self.scenario.unfired


@contextlib.asynccontextmanager
async def service(options: Options) -> AsyncIterator[Service]:
    """Serve a device while the context lasts.

    Raises:
        ServeError: it cannot be served as the options say.
    """
    ending = Ending(options.keep_running)
    ending.watch_signals()
    async with contextlib.AsyncExitStack() as stack:
        parameters = _parameters(options)
        ready_file = ReadyFile(options.ready_file) if options.ready_file is not None else None
        report_file = _report_file(options.report) if options.report is not None else None
        with _blamed():
            nvm = open_memory(options.nvm) if options.nvm is not None else None
            stack.callback(close_memory, nvm)
            seed = seed_for(_wanted_seed(options), nvm, options.nvm, draw_seed)
        open_tap = stack.enter_context(_trace(options.trace, seed)) if options.trace is not None else None
        ending.watch_loop()
        served: list[Service] = []
        transports: list[Transport] = []
        first_event_no, start, recorder = nvm.head if nvm is not None else FIRST_EVENT_NO, monotonic(), None
        if options.record is not None:
            recorder = stack.enter_context(_recording(options, seed, nvm, start, open_tap, served))
            open_tap = recorder.open_tap
        with _blamed():
            device = power_on(seed, parameters, nvm, start)
        if report_file is not None or options.strict:
            report = _watched(device, first_event_no, open_tap)
            open_tap = report.open_tap
            stack.callback(_end_report, report, report_file, served)  # after all that follows has closed
        running = RealTimeDevice(device, open_tap=open_tap, listener=recorder)
        scenario = _scenario(options, running, transports, recorder)
        for place in options.places:
            transports.append(await _open(place, running, ending))
            stack.push_async_callback(transports[-1].close)
        stack.callback(_close, running)
        announcement = Announcement(
            urls=[transport.url for transport in transports],
            seed=seed,
            serial=device.serial,
            parameters=_values(options),
            warnings=[transport.warning for transport in transports if transport.warning],
        )
        if report_file is not None:
            report_file.due = True
        if ready_file is not None:
            ready_file.write(announcement)
            stack.callback(ready_file.remove)
        ending.watch_parent()
        ending.watch_clock(options.max_seconds)
        served.append(Service(announcement, ending, scenario))
        yield served[0]


async def _open(place: "Place", running: RealTimeDevice, ending: Ending) -> "Transport":
    """Open a place, which may have to wait for a broker, unless the device is to end before that."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(None) as patience:

            def end(reached: asyncio.Future[Reason]) -> None:
                patience.reschedule(loop.time())

            ending.reached.add_done_callback(end)
            try:
                return await place.open_transport(running)
            finally:
                ending.reached.remove_done_callback(end)
    except TimeoutError:
        if not patience.expired():
            raise
    raise ServeError(f"it ends before a host could reach it: {ending.reached.result().value}")


def _end_report(report: "Report", file: "ReportFile | None", served: list[Service]) -> None:
    """Make the report, tell the service its faults, and write it."""
    from firmware_sim.serve.report.report import faults

    made = report.make(monotonic())
    for one in served:
        if one.scenario is not None:
            made["faults"] = one.scenario.report()
        one.faults = faults(made)
    if file is not None:
        file.write(made)


def _close(running: RealTimeDevice) -> None:
    with contextlib.suppress(NvmFileError):  # a memory that takes no more has been reported when it was found
        running.close()


def _values(options: Options) -> dict[str, float]:
    """Return the parameters of the scenario, with those of the command line in their place."""
    return {**({} if options.start is None else options.start.parameters), **options.parameters}


def _wanted_seed(options: Options) -> int | None:
    return options.start.seed if options.seed is None and options.start is not None else options.seed


def _scenario(
    options: Options, running: RealTimeDevice, transports: "list[Transport]", recorder: "Recorder | None"
) -> "ServedFaults | None":
    """Let faults into the device: those of a scenario, and later those that come over a link."""

    def let_in(faults: "Sequence[Fault]", now: Micros) -> "ServedFaults":
        from firmware_sim.serve.line_faults import FaultyLines
        from firmware_sim.serve.scenario import ServedFaults, tell

        def noted(event: str, firing: "Firing", now: Micros) -> None:
            tell(event, firing, now)
            if recorder is not None:
                recorder.noted(event, firing, now)

        lines = FaultyLines(running.device, transports, now, faults, noted, behind_broker=options.behind_broker)
        running.put_between(lines)
        return ServedFaults(lines.injected, now, len(faults))

    running.device.inject = lambda device, now: let_in((), now).injected
    start, now = options.start, monotonic()
    if start is None:
        return None
    from firmware_sim.faults.served import fit

    if recorder is not None:
        recorder.begins(start, now)
    fit(running.device, start.cartridge_cycles, start.canister_ml)
    scenario = let_in(start.faults, now)
    running.refresh()
    return scenario


def _parameters(options: Options) -> Parameters:
    try:
        return Parameters(_values(options))
    except UnknownParameterError as error:
        close = nearest(error.name, _NO_PARAMETERS)
        hint = f"; did you mean {'--' if close in _NO_PARAMETERS else ''}{close}?" if close else ""
        reason = f"{error.name}: no such parameter{hint} (`firmware-sim serve --help` lists all)"
        raise OptionError("--param", reason) from error
    except ParameterError as error:
        raise OptionError("--param", str(error)) from error


def _report_file(path: str) -> "ReportFile":
    from firmware_sim.serve.report.report import ReportFile

    return ReportFile(path)


def _watched(device: Device, first_event_no: int, open_tap: OpenTap | None) -> "Report":
    from firmware_sim.serve.report.report import Report

    return Report(device, first_event_no, open_tap)


@contextlib.contextmanager
def _blamed() -> Iterator[None]:
    """Name the option that a device cannot be powered on with."""
    try:
        yield
    except StartError as error:
        raise OptionError(f"--{error.option}", error.reason) from error


@contextlib.contextmanager
def _recording(
    options: Options, seed: int, nvm: Nvm | None, start: Micros, inner: OpenTap | None, served: list[Service]
) -> Iterator["Recorder"]:
    from firmware_sim.serve.recording import Boot, record

    assert options.record is not None
    boot = Boot(seed, _values(options), nvm, options.behind_broker, start)
    with record(options.record, boot, options.start, inner, lambda: _verdict(served)) as recorder:
        yield recorder


def _verdict(served: list[Service]) -> dict[str, object] | None:
    """Return why a device ended, for its recording; None if it was never served."""
    if not served:
        return None
    reached, faults = served[0].ending.reached, served[0].faults
    if not reached.done():
        return {"ended": "the command that it was served for has ended", "faults": faults}
    error = reached.exception()
    return {"failed": str(error)} if error is not None else {"ended": reached.result().value, "faults": faults}


@contextlib.contextmanager
def _trace(path: str, seed: int) -> Iterator[OpenTap]:
    from firmware_sim.serve.trace import trace

    with trace(path, seed) as open_tap:
        yield open_tap
