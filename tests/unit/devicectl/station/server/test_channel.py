import json
from typing import Any

import pytest

from devicectl.station.server import sockets
from devicectl.station.server.admission.limits import MAX_PENDING
from devicectl.station.server.admission.tokens import Who
from devicectl.station.server.channel import Channel


class Page:
    def __init__(self) -> None:
        self.got: list[dict[str, object]] = []

    def take(self, message: str) -> None:
        self.got.append(json.loads(message))


def test_new_page_gets_the_whole_view_and_then_what_changes() -> None:
    channel, page = Channel({"a": 1, "b": 2}, 100), Page()
    channel.join(page, 0, {"a": 1, "b": 2})
    channel.publish({"a": 1, "b": 2})
    channel.publish({"a": 3})
    assert page.got == [
        {"type": "snapshot", "no": 100, "view": {"a": 1, "b": 2}},
        {"type": "patch", "no": 101, "patch": {"a": 3, "b": None}},
    ]


def test_page_that_comes_back_gets_what_it_lacks() -> None:
    channel, page, other = Channel({"a": 1}, 100), Page(), Page()
    channel.join(page, 0, {"a": 1})
    channel.publish({"a": 2})
    channel.leave(page)
    channel.leave(page)
    assert not channel.watched
    channel.join(other, 100, {"a": 3})
    assert [message["no"] for message in page.got] == [100, 101]
    assert other.got == [
        {"type": "patch", "no": 101, "patch": {"a": 2}},
        {"type": "patch", "no": 102, "patch": {"a": 3}},
    ]


def test_number_of_another_server_gets_the_whole_view() -> None:
    channel, page = Channel({"a": 1}, 100), Page()
    channel.join(page, 99, {"a": 1})
    channel.join(page, 4_000, {"a": 1})
    assert [message["type"] for message in page.got] == ["snapshot", "snapshot"]


@pytest.mark.asyncio
async def test_a_page_that_was_away_for_however_long_has_room_for_all_that_it_lacks() -> None:
    station: Any = None
    channel = Channel({"n": 0}, first=1)
    for n in range(1, 2 * MAX_PENDING):
        channel.publish({"n": n})
    for last in range(2 * MAX_PENDING + 2):
        page = sockets.Page(Who("presenter"), "presenter", station)
        channel.join(page, last, {"n": n})
        channel.leave(page)
        assert not page.outbox.full(), last
