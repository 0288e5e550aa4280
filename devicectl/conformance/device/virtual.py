"""The probe on a simulated device in virtual time: each effect of its steps, carried out at once."""

from typing import TypeVar

from devicectl.conformance.device.ground import Ground
from devicectl.conformance.device.probe import Close, Effect, GoneError, Open, Power, Steps, Until
from devicectl.simulation.bench import VirtualBench
from devicectl.simulation.virtual_time import make_device
from devicectl.transports.urls import DeviceUrl

_T = TypeVar("_T")


def open_bench(ground: Ground, url: DeviceUrl) -> VirtualBench:
    """Put the device of a `sim://` URL under the probe.

    Raises:
        UrlError: its parameters or memory cannot be used.
    """
    return VirtualBench(make_device(url), ground.probe, in_file=url.nvm is not None)


def run_steps(bench: VirtualBench, steps: Steps[_T]) -> _T:
    """Run steps of the probe to their end. A device that raises has broken off, which ends a case and not the run."""
    try:
        effect = next(steps)
        while True:
            try:
                _carry_out(bench, effect)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the device's that is judged
                bench.close_all()
                effect = steps.throw(GoneError(f"the simulated device broke off: {type(error).__name__}: {error}"))
            else:
                effect = steps.send(None)
    except StopIteration as stop:
        result: _T = stop.value
        return result


def _carry_out(bench: VirtualBench, effect: Effect) -> None:
    match effect:
        case Until(due):
            bench.until(due)
        case Open(channel):
            bench.open(channel)
        case Close(channel):
            bench.close(channel)
        case Power():
            raise AssertionError("the power of a simulated device is cut over its link")
