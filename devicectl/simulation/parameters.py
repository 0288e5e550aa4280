"""The parameters of a simulated URL, held against the device's table.

Law: pure, so that a command line is checked with it before anything is opened.
"""

from devicectl.errors import UrlError
from devicectl.transports.simulated import SIM_OPTIONS, SIMULATED_OPTIONS
from devicectl.transports.urls import DeviceUrl
from firmware_sim.errors import ParameterError, UnknownParameterError
from firmware_sim.model.parameters import Parameters, nearest


def parameters_of(url: DeviceUrl) -> Parameters:
    """The parameters of the device that a simulated URL describes.

    Raises:
        UrlError: an unknown one, or a value out of its range.
    """
    example = f"{url.scheme}://?seed=7&anesthesia_wait_s=1"
    try:
        return Parameters(url.parameters)
    except UnknownParameterError as error:
        close = nearest(error.name, SIM_OPTIONS if url.in_process else SIMULATED_OPTIONS)
        hint = f"; did you mean {close}?" if close else ""
        reason = f"no such option or parameter{hint} (`firmware-sim serve --help` lists the parameters)"
        raise UrlError(url.text, error.name, reason, example) from error
    except ParameterError as error:
        raise UrlError(url.text, error.name, error.reason, example) from error
