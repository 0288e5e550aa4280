from devicectl.monitor.selection import NONE, Selection


def test_a_selection_takes_names_and_a_direction() -> None:
    assert Selection().takes("host", "Punch")
    assert not Selection(names=frozenset({"Count"})).takes("host", "Punch")
    assert Selection(sender="device").takes("device", "Punch")
    assert not Selection(sender="device").takes("host", "Punch")
    assert not NONE.takes("host", "Punch")
