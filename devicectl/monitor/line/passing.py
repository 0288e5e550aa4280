"""Passing of bytes between the two ends of each line: untouched, and before they are told of.

How it works: one loop over descriptors that never wait. What a peer does not take is kept up to a bound; then a sender
at TCP has to wait, as it would without the tap, and a serial line loses bytes, as such a line does. A peer that closes
one direction closes that direction alone. A device at TCP that has gone is called again while its host stays.
"""

import contextlib
import os
import select
import selectors
import socket
from typing import Final

from devicectl import clock
from devicectl.monitor.line.lines import MAX_UNSENT_BYTES, End, Line, side_of
from devicectl.monitor.line.observing import Observations
from devicectl.monitor.line.opening import Dialer, listen, open_standing
from devicectl.monitor.places import Place, Way
from devicectl.monitor.wire import Kind
from protocols.language.units import SECOND
from protocols.text.addresses import format_address

READ_SIZE: Final = 64 * 1024
IDLE_S: Final = 0.002
"""A pause on all lines in which observations are passed on."""
CONNECT_US: Final = 10 * SECOND
"""A device that is switched off answers nothing at all."""
REDIAL_US: Final = SECOND // 2


class Passing:
    """The lines between two places, from the first to the end of the program."""

    def __init__(self, observations: Observations, control: int) -> None:
        self._observations = observations
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ, self._controlled)
        self._control = control
        self._start = clock.monotonic()
        self._ends: set[End] = set()
        self._lines = 0
        self._standing: Line | None = None
        """The line whose end at a serial port or pseudo-terminal outlives its peers."""
        self._dialer: Dialer | None = None
        self._redial_us: int | None = None
        self._connecting: dict[End, int] = {}
        """Ends that are being connected, and until when."""
        self._stopped = False

    @property
    def now_us(self) -> int:
        """Microseconds since the tap began."""
        return clock.monotonic() - self._start

    def open(self, host: Place, device: Place) -> None:
        """Open what stands, and listen.

        Raises:
            CannotOpenError: an end cannot be had.
        """
        standing = open_standing(device, Kind.DEVICE)[0] if device.way is Way.SERIAL else None
        if standing is None:
            self._dialer = Dialer(device)
        if host.way is Way.LISTEN:
            listener = listen(host)
            self._selector.register(listener, selectors.EVENT_READ, lambda: self._accept(listener))
            where, port = listener.getsockname()[:2]
            url = f"tcp://{format_address(where, port)}"
            if standing is not None:
                self._standing = Line(0, None, standing)
        else:
            end, url = open_standing(host, Kind.HOST)
            self._standing = self._opened(end, standing, host.text)
            self._watch(end)
            if standing is None:
                self._redial_us = 0
        if standing is not None:
            self._watch(standing)
        self._tell(Kind.LISTENING, 0, url)

    def run(self) -> None:
        """Pass on until the program is to end, or nobody watches."""
        observations, selector = self._observations, self._selector
        while not self._stopped:
            ready = selector.select(self._timeout())
            if not ready and observations.fresh:
                observations.flush()
            for key, events in ready:
                end = key.data
                if end.__class__ is not End:
                    end()
                    continue
                if events & selectors.EVENT_READ and end in self._ends:
                    self._read(end)
                if events & selectors.EVENT_WRITE and end in self._ends:
                    self._write(end)
            if self._connecting or self._redial_us is not None:
                self._keep_time()
            self._watch_pipe()

    def close(self) -> None:
        """Close every end, after one more try to pass on what it still has."""
        for end in list(self._ends):
            self._close(end)
        self._observations.finish()

    # --- what happens ----------------------------------------------------------------------------------------

    def _read(self, end: End) -> None:
        try:
            data = os.read(end.fd, READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            self._broken(end, error.strerror or str(error))
            return
        line = end.line
        assert line is not None
        if data:
            now_us = self.now_us
            other = line.other(end)
            if other is None:
                self._lose(line, end, len(data))
            else:
                self._pass(other, end, data)
            self._observations.add(end.sender, line.number, now_us, data)
        elif end.waits:
            self._heard_all(line, end)
        elif _is_hung_up(end.fd):
            self._broken(end, "it was hung up")

    def _pass(self, end: End, source: End, data: bytes) -> None:
        if not end.unsent and not end.connecting:
            try:
                sent = os.write(end.fd, data)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                self._broken(end, error.strerror or str(error))
                return
            if sent == len(data):
                return
            data = data[sent:]
        end.unsent += data
        if len(end.unsent) > MAX_UNSENT_BYTES:
            if end.waits:
                source.paused = True
                self._watch(source)
            else:
                too_many = len(end.unsent) - MAX_UNSENT_BYTES
                del end.unsent[MAX_UNSENT_BYTES:]
                assert end.line is not None
                self._lose(end.line, source, too_many)
        self._watch(end)

    def _write(self, end: End) -> None:
        line = end.line
        assert line is not None
        if end.connecting:
            assert end.sock is not None
            number = end.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number:
                self._broken(end, f"cannot connect: {os.strerror(number)}")
                return
            end.connecting = False
            del self._connecting[end]
        try:
            del end.unsent[: os.write(end.fd, end.unsent)]
        except BlockingIOError:
            return
        except OSError as error:
            self._broken(end, error.strerror or str(error))
            return
        source = line.other(end)
        if source is not None and source.paused and len(end.unsent) < MAX_UNSENT_BYTES // 2:
            source.paused = False
            self._watch(source)
        if not end.unsent and (source is None or source.heard_all):
            self._said_all(line, end)
        if end in self._ends:
            self._watch(end)

    def _heard_all(self, line: Line, end: End) -> None:
        """Close the same direction at the other end, once all was passed on; the other direction goes on."""
        end.heard_all = True
        self._watch(end)
        other = line.other(end)
        if other is None or not other.waits:
            self._end_line(line, f"the {side_of(end)} has closed the connection")
            return
        if not line.is_over:
            self._tell(Kind.NOTE, line.number, f"the {side_of(end)} has closed its end; the other direction is open")
        if not other.unsent and not other.connecting:
            self._said_all(line, other)

    def _said_all(self, line: Line, end: End) -> None:
        end.half_close()
        if line.is_over:
            self._end_line(line, "both ends have closed")

    def _late(self, end: End) -> None:
        self._broken(end, f"nothing answers within {CONNECT_US // SECOND} s")

    def _broken(self, end: End, reason: str) -> None:
        line = end.line
        assert line is not None
        if end.waits:
            self._end_line(line, f"the {side_of(end)}'s connection: {reason}")
        else:
            self._fail(f"the {side_of(end)}'s serial port: {reason}")

    def _lose(self, line: Line, source: End, count: int) -> None:
        """Say once that bytes are lost, until some are passed on to a new peer."""
        if not source.lost_bytes:
            reason = "nobody is at the other end" if line.other(source) is None else "the other end takes no more"
            self._tell(Kind.NOTE, line.number, f"bytes of the {side_of(source)} are lost: {reason}")
        source.lost_bytes += count

    # --- lines -----------------------------------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        try:
            sock, address = listener.accept()
        except OSError:
            return  # it has gone again, or there are no descriptors left: it may come back
        name = f"tcp:{format_address(*address[:2])}"
        standing = self._standing
        if standing is not None and standing.host is not None:
            self._tell(Kind.NOTE, standing.number, f"a second host, {name}, was turned away: the device has one line")
            sock.close()
            return
        host = End.of_socket(sock, Kind.HOST)
        if standing is not None:
            self._standing = self._opened(host, standing.device, name)
            self._watch(host)
            return
        device, refused = self._dial()
        line = self._opened(host, device, name)
        if device is None:
            self._end_line(line, refused)
        else:
            self._watch(host)
            self._watch(device)

    def _dial(self) -> tuple[End | None, str]:
        assert self._dialer is not None
        try:
            end = self._dialer.dial(Kind.DEVICE)
        except OSError as error:
            return None, f"cannot connect to {self._dialer.where}: {error.strerror or error}"
        if end.connecting:
            self._connecting[end] = self.now_us + CONNECT_US
        return end, ""

    def _redial(self) -> None:
        self._redial_us = None
        line = self._standing
        assert line is not None and line.host is not None
        device, refused = self._dial()
        if device is None:
            self._end_line(line, refused)
            return
        line.host.lost_bytes = 0
        self._standing = line = Line(line.number, line.host, device)
        self._ends.add(device)
        self._watch(device)

    def _opened(self, host: End, device: End | None, name: str) -> Line:
        self._lines += 1
        line = Line(self._lines, host, device)
        self._ends.update(line.ends)
        for end in line.ends:
            end.lost_bytes = 0
        self._tell(Kind.OPENED, line.number, name)
        return line

    def _end_line(self, line: Line, reason: str) -> None:
        """Close what is no standing end; a device at TCP is called again where the host's end stands."""
        for end in line.ends:
            if end.waits:
                self._close(end)
        self._tell(Kind.CLOSED, line.number, reason)
        if line is not self._standing:
            return
        if line.host is not None and not line.host.waits:
            line.device = None
            line.host.paused = False
            self._watch(line.host)
            self._redial_us = self.now_us + REDIAL_US
        elif line.device is not None:
            line.host = None
            line.device.paused = False
            self._watch(line.device)

    def _close(self, end: End) -> None:
        if end.unsent and not end.connecting:
            with contextlib.suppress(OSError):
                os.write(end.fd, end.unsent)
        self._connecting.pop(end, None)
        if end.events:
            self._selector.unregister(end.fd)
            end.events = 0
        self._ends.discard(end)
        end.close()

    # --- the loop --------------------------------------------------------------------------------------------

    def _watch(self, end: End) -> None:
        """Have the loop look for what an end can do now."""
        self._ends.add(end)
        reads = not (end.paused or end.heard_all or end.connecting)
        events = selectors.EVENT_READ * reads | selectors.EVENT_WRITE * bool(end.unsent or end.connecting)
        if events == end.events:
            return
        if not end.events:
            self._selector.register(end.fd, events, end)
        elif not events:
            self._selector.unregister(end.fd)
        else:
            self._selector.modify(end.fd, events, end)
        end.events = events

    def _watch_pipe(self) -> None:
        fd, registered = self._observations.fd, self._observations.fd in self._selector.get_map()
        if self._observations.blocked != registered:
            if registered:
                self._selector.unregister(fd)
            else:
                self._selector.register(fd, selectors.EVENT_WRITE, self._observations.flush)

    def _timeout(self) -> float | None:
        if self._observations.fresh:
            return IDLE_S
        due = [*self._connecting.values(), *([] if self._redial_us is None else [self._redial_us])]
        return max(0, min(due) - self.now_us) / SECOND if due else None

    def _keep_time(self) -> None:
        now_us = self.now_us
        for end in [end for end, until_us in self._connecting.items() if now_us >= until_us]:
            self._late(end)
        if self._redial_us is not None and now_us >= self._redial_us:
            self._redial()

    def _controlled(self) -> None:
        """End once the owner of this process has let go of it."""
        self._stopped = not os.read(self._control, 64) or self._stopped

    def _fail(self, reason: str) -> None:
        self._tell(Kind.FAILED, 0, reason)
        self._stopped = True

    def _tell(self, kind: Kind, line: int, text: str) -> None:
        self._observations.add(kind, line, self.now_us, text.encode())


def _is_hung_up(fd: int) -> bool:
    poller = select.poll()
    poller.register(fd, 0)
    return any(events & (select.POLLHUP | select.POLLERR) for _, events in poller.poll(0))
