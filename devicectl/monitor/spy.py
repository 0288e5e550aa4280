"""`spy+` before a device URL: the tap of a monitor in front of that device, in the host's own process.

What is said is shown on standard error as it comes, and the statistics at the end. Over a real transport a screen that
is slow loses lines; in virtual time it is waited for.
"""

import contextlib
import sys
from collections.abc import Iterator

from devicectl.errors import UrlError
from devicectl.monitor.report import report
from devicectl.monitor.screen import Screen
from devicectl.monitor.selection import Selection
from devicectl.monitor.watch import Watch
from devicectl.session.link import Tap
from devicectl.transports.urls import SPY, DeviceUrl, Spy
from handpiece_shell.files import explain_no_file
from handpiece_shell.recording_file import RecordingFile, comment_of
from handpiece_shell.streams import say
from protocols.language.units import Micros
from protocols.mqtt.wire import Publication
from protocols.text.notice import NOTICE
from protocols.text.url_text import hide_users


@contextlib.contextmanager
def spied(url: DeviceUrl, spy: Spy, inner: Tap | None) -> Iterator[Tap]:
    """Give the tap that shows what it hears, while the context lasts; `inner` hears the same before it.

    Raises:
        UrlError: the file of the recording cannot be opened.
    """
    watch, port = Watch(Selection(spy.names)), hide_users(url.text)
    with _recording(url, spy.record) as recording:
        screen = Screen(sys.stderr, waits=url.in_process)
        screen.show([f"{NOTICE}: {port}"])

        def tap(sender: str, data: bytes | Publication, now: Micros) -> None:
            if inner is not None:
                inner(sender, data, now)
            if recording is not None:
                recording.heard(port, sender, data, now)
            lines = watch.heard(sender, data, now)
            if lines:
                screen.show(lines)

        try:
            yield tap
        finally:
            screen.show([*watch.close(), *report(watch.statistics)], always=True)
            if screen.not_shown:
                screen.show([f"{screen.not_shown} lines were not shown: the screen took no more"], always=True)
            screen.close()


@contextlib.contextmanager
def _recording(url: DeviceUrl, path: str | None) -> Iterator[RecordingFile | None]:
    if path is None:
        yield None
        return
    comment = comment_of("devicectl spy", url.seed, notice=NOTICE, device=hide_users(url.text))
    try:
        file = RecordingFile(path, comment, lambda text: say(f"warning: {text}"))
    except (OSError, ValueError) as error:
        reason = explain_no_file(f"write {path}", error)
        raise UrlError(url.text, "spy_record", reason, f"{SPY}tcp://127.0.0.1:4001?spy_record=line.pcapng") from error
    with contextlib.closing(file):
        yield file
