"""`devicectl.cli.main`: how the program ends."""

import pytest

from devicectl import cli


def test_ctrl_c_while_the_program_is_still_being_imported_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def call(_arguments: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "call", call)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 130
