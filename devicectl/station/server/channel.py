"""One view of one station as its pages have it: the numbered patches, and who is sent them.

Law: pure. A message is made once for all readers; a reader that is too slow loses its place, and resumes.
"""

from typing import Protocol

from devicectl.station.views.patch import Document, History


class Reader(Protocol):
    """A page's socket."""

    def take(self, message: str) -> None:
        """Take a message; one that cannot is closed by itself."""


class Channel:
    """A view of a station."""

    def __init__(self, document: Document, first: int) -> None:
        self._history = History(document, first)
        self._readers: list[Reader] = []

    @property
    def watched(self) -> bool:
        """True while somebody reads: else nothing has to be made."""
        return bool(self._readers)

    def join(self, reader: Reader, last: int, document: Document) -> None:
        """Send a reader what it lacks after message `last`, and all that comes."""
        self.publish(document)
        for message in self._history.resume(last):
            reader.take(message)
        self._readers.append(reader)

    def leave(self, reader: Reader) -> None:
        """Send a reader nothing any more."""
        if reader in self._readers:
            self._readers.remove(reader)

    def publish(self, document: Document) -> None:
        """Send all readers what is different in a document."""
        message = self._history.update(document)
        if message is not None:
            for reader in list(self._readers):
                reader.take(message)
