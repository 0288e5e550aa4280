"""Drivers of labgrid for a handpiece: the power of a simulated one, a controller that is run against any, a strategy.

TRAINING SIMULATOR - NOT A MEDICAL DEVICE. With a real handpiece only `SimulatedPower` is another one, such as labgrid's
own NetworkPowerDriver. The programs are those of the environment's `tools`: none of devicectl is imported here, so
that it need not be in labgrid's own virtual environment.
"""

import contextlib
import json
import subprocess

import attr
from labgrid.driver import Driver, ExecutionError
from labgrid.driver.powerdriver import PowerResetMixin
from labgrid.factory import target_factory
from labgrid.protocol import PowerProtocol
from labgrid.strategy import Strategy
from labgrid.util.proxy import proxymanager

END_S = 10


def _tool(driver, name):
    return driver.target.env.config.get_tool(name)


def _address(driver):
    host, port = proxymanager.get_host_and_port(driver.port)
    return f"{host}:{port}"


@target_factory.reg_driver
@attr.s(eq=False)
class SimulatedPower(Driver, PowerResetMixin, PowerProtocol):
    """Power of a simulated handpiece at a TCP port. It is cut as power is; what the memory's file has is kept."""

    bindings = {"port": "NetworkSerialPort"}
    memory = attr.ib(validator=attr.validators.instance_of(str))
    parameters = attr.ib(factory=dict, validator=attr.validators.instance_of(dict))

    def __attrs_post_init__(self):
        super().__attrs_post_init__()
        self._process = None

    @Driver.check_active
    def on(self):
        if self._process is not None:
            return
        line = [_tool(self, "firmware-sim"), "serve", "--json", "--tcp", _address(self), "--nvm", self.memory]
        for name, value in self.parameters.items():
            line += ["--param", f"{name}={value}"]
        self._process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
        if not self._process.stdout.readline():
            self.off()
            raise ExecutionError(f"no handpiece at {_address(self)}: see above what firmware-sim says")

    @Driver.check_active
    def off(self):
        if self._process is not None:
            process, self._process = self._process, None
            process.kill()
            process.communicate()

    @Driver.check_active
    def cycle(self):
        self.off()
        self.on()

    def on_deactivate(self):
        self.off()


@target_factory.reg_driver
@attr.s(eq=False)
class Controller(Driver):
    """devicectl, run against the handpiece at the port."""

    bindings = {"port": "NetworkSerialPort"}
    log = attr.ib(validator=attr.validators.instance_of(str))

    def _line(self, *options):
        return [_tool(self, "devicectl"), "run", "--device", f"tcp://{_address(self)}", "--log", self.log, *options]

    @Driver.check_active
    def run(self, *options):
        """Hold a session; what `devicectl run --json` says of it."""
        done = subprocess.run(self._line("--json", *options), capture_output=True, text=True)
        if not done.stdout:
            raise ExecutionError(done.stderr)
        return json.loads(done.stdout)

    @Driver.check_active
    @contextlib.contextmanager
    def running(self, *options):
        """A session that is under way, as a process whose standard output has a line for each cycle."""
        process = subprocess.Popen(self._line("--explain", *options), stdout=subprocess.PIPE, text=True)
        with process:
            try:
                yield process
            finally:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.communicate(timeout=END_S)
                process.kill()


@target_factory.reg_driver
@attr.s(eq=False)
class HandpieceStrategy(Strategy):
    """The states of the bench: `off`, `on`, and `console`, in which a test itself has the serial line."""

    bindings = {"power": "PowerProtocol", "controller": "Controller", "console": "ConsoleProtocol"}

    def transition(self, status):
        self.target.deactivate(self.console)  # the line has one host at a time
        self.target.activate(self.power)
        if status == "off":
            self.power.off()
            return
        self.power.on()
        self.target.activate(self.console if status == "console" else self.controller)
