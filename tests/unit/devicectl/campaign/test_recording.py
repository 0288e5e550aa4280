from devicectl.campaign.recording import EVENT, HOST_SENT, Recorded, Recording
from protocols.language.units import Micros


def test_packets_and_events_are_kept_in_their_order() -> None:
    recording = Recording()
    recording.append(Recorded(Micros(1), HOST_SENT, b"\0"))
    recording.event("commit", Micros(2), upto=7)
    assert recording == [(1, HOST_SENT, b"\0"), (2, EVENT, {"event": "commit", "upto": 7})]
