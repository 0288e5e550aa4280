"""HELLO's max_payload_size: what the device sends keeps to it, and less than any host must take is refused."""

from collections import Counter

import pytest

from devicectl.errors import CommandRefusedError
from devicectl.session import link
from protocols.language import messages as M
from protocols.language.enums import Code, Kind
from protocols.language.fields import MAX_PAYLOAD_SIZE, MIN_MAX_PAYLOAD_SIZE
from protocols.language.messages import Refused
from protocols.language.records import RECORD_SIZE
from protocols.language.units import Micros
from tests.native import reaches_inside
from tests.unit.protocols.link.exchange_pair import hello, only_nak
from tests.unit.protocols.serial.frames import encode_frame, encode_payload
from tests.world import Bystander, Lab, assert_counted, payload_size

LIMITS = (MIN_MAX_PAYLOAD_SIZE, 143, 144, MAX_PAYLOAD_SIZE)


def read_all(host: Bystander) -> list[bytes]:
    """Every record of the journal, page by page, as many at a time as come."""
    nvm, records = host.lab.device.nvm, list[bytes]()
    while len(records) < nvm.head - 1:
        page = host.ask(M.JournalRead(epoch=nvm.epoch, first=len(records) + 1, max_records=255))
        assert isinstance(page, M.JournalPage) and page.records
        records += [page.records[at : at + RECORD_SIZE] for at in range(0, len(page.records), RECORD_SIZE)]
    return records


@pytest.mark.parametrize(("limit", "per_page"), list(zip(LIMITS, (3, 3, 4, 6), strict=True)))
def test_pages_of_the_journal_are_no_longer_than_the_host_takes(limit: int, per_page: int) -> None:
    lab = Lab().begin(8)
    host = Bystander(lab, max_payload_size=limit)
    assert read_all(host) == lab.device.nvm.read(1, 1024)[1]
    assert host.longest_payload == max(90, 16 + per_page * RECORD_SIZE) <= limit  # 90: WELCOME


@pytest.mark.parametrize("limit", LIMITS)
def test_an_echo_is_no_longer_than_the_host_takes(limit: int) -> None:
    host = Bystander(Lab().begin(1), max_payload_size=limit)
    assert host.ask(M.Echo(data=bytes(limit))) == M.EchoDone(data=bytes(limit))
    if limit < MAX_PAYLOAD_SIZE:
        answer = host.ask(M.Echo(data=bytes(limit + 1)))
        assert isinstance(answer, Refused)
        assert (answer.code, answer.expected, answer.actual) == (Code.E_RANGE, limit, limit + 1)
        assert f"allows payloads of {limit} B" in answer.sentence
    assert host.longest_payload == limit


def test_a_new_link_has_a_payload_limit_of_its_own() -> None:
    """A host that sends HELLO again on the same port with more room is not held to what it said before."""
    lab = Lab().begin(1)
    host = Bystander(lab, max_payload_size=MIN_MAX_PAYLOAD_SIZE)
    host.greet()
    assert host.ask(M.Echo(data=bytes(MAX_PAYLOAD_SIZE))) == M.EchoDone(data=bytes(MAX_PAYLOAD_SIZE))


@pytest.mark.parametrize("limit", [0, 64, MIN_MAX_PAYLOAD_SIZE - 1, MAX_PAYLOAD_SIZE + 1])
def test_less_than_any_host_must_take_is_refused(limit: int) -> None:
    lab = Lab()
    port = lab.device.attach("narrow")
    payload = bytearray(encode_payload(hello()))
    payload[20] = limit
    raw = encode_frame(Kind.LINK, M.Hello.ID, bytes(payload), seq=1, correlation_id=1)
    lab.device.receive(port, raw, Micros(0))
    _, answer = only_nak(port.exchange)
    assert answer.code is Code.E_ARGUMENT
    assert answer.sentence == f"Hello.max_payload_size: {limit} is outside {MIN_MAX_PAYLOAD_SIZE}..{MAX_PAYLOAD_SIZE}"
    assert not port.exchange.linked


@reaches_inside
def test_a_whole_session_of_a_host_that_takes_the_least(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a refusal, an alarm, a lost link and what the host lists of parameters and alarms."""
    monkeypatch.setattr(link, "MAX_PAYLOAD_SIZE", MIN_MAX_PAYLOAD_SIZE)
    sizes: Counter[int] = Counter()

    def tap(sender: str, data: bytes, now: Micros) -> None:
        if sender == "device":
            sizes[payload_size(data)] += 1

    lab = Lab(tap=tap).begin(5)
    with pytest.raises(CommandRefusedError):
        lab.ask(M.Reposition(zone=9, cell=0))
    lab.ask(M.ParamList(index=0))
    lab.world.cut()
    lab.world.mend()
    assert_counted(lab, lab.finish())
    assert max(sizes) == MIN_MAX_PAYLOAD_SIZE and sizes[16 + 3 * RECORD_SIZE] > 1
