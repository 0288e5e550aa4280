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


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["run", "--plan"], "devicectl run"),
        (["run", "--explain=3"], "devicectl run"),
        (["sessions", "list", "--last"], "devicectl sessions list"),
    ],
)
def test_an_error_of_an_option_s_value_names_the_help_of_its_command(
    arguments: list[str], command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.call(arguments) == 2
    assert f"(see `{command} --help`)" in capsys.readouterr().err
