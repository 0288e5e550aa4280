"""The far end of a transport: pieces pass it as they are, and only while it is there."""

from devicectl.station.console.far_end import FarEnd
from protocols.language.units import Micros

NOW = Micros(0)


def test_what_comes_while_nobody_is_there_is_lost() -> None:
    heard: list[object] = []
    end = FarEnd(heard.append, heard.append)
    end.receive(b"early", NOW)
    end.connected(NOW)
    end.receive(b"in time", NOW)
    end.disconnected("pulled", NOW)
    end.receive(b"late", NOW)
    assert heard == [b"in time", "pulled"]


def test_a_transport_that_breaks_takes_what_was_not_carried_with_it() -> None:
    lost: list[str] = []
    end = FarEnd(lambda piece: None, lost.append)
    end.connected(NOW)
    end.outbox += [b"one", b"two"]
    assert end.take() == [b"one", b"two"] and end.take() == []
    end.outbox.append(b"three")
    end.disconnected("pulled", NOW)
    end.disconnected("pulled", NOW)
    assert end.take() == [] and lost == ["pulled"]
