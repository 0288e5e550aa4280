import json

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
