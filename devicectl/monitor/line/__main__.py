"""`python -m devicectl.monitor.line`: the process that passes bytes on, as `devicectl monitor` starts it."""

import gc
import sys

from devicectl.monitor.line.observing import Observations, WatcherGoneError
from devicectl.monitor.line.opening import CannotOpenError
from devicectl.monitor.line.passing import Passing
from devicectl.monitor.places import Place, Way, parse_device_place, parse_host_place
from devicectl.monitor.wire import Kind


def make_passing(device: Place, observations: Observations, control: int) -> Passing:
    """Make what passes bytes on. A line to a gateway has one of its own, so that the others do nothing for it."""
    if device.way is not Way.GATEWAY:
        return Passing(observations, control)
    from devicectl.monitor.line.gateway import PassingToGateway

    return PassingToGateway(observations, control, device)


def main() -> None:
    """Pass on between the places of the command line, from standard input's side until that ends."""
    gc.disable()  # nothing here is in a circle, and a collection would keep a line waiting
    device = parse_device_place(sys.argv[2])
    observations = Observations(1)
    passing = make_passing(device, observations, 0)
    try:
        passing.open(parse_host_place(sys.argv[1]), device)
        passing.run()
    except CannotOpenError as error:
        observations.add(Kind.FAILED, 0, 0, str(error).encode())
    except WatcherGoneError:
        return
    passing.close()


if __name__ == "__main__":
    main()
