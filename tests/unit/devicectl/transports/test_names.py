import pytest

from devicectl.transports.names import SelectionError, parse_names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Punch", {"Punch"}),
        ("PUNCH, session_open", {"Punch", "SessionOpen"}),
        ("count*", {"Count", "CountDone"}),
        ("badframe,unknown", {"BadFrame", "Unknown"}),
    ],
)
def test_names_are_taken_in_any_case_and_with_a_star(text: str, names: set[str]) -> None:
    assert parse_names(text) == names


@pytest.mark.parametrize(
    ("text", "says"), [("Pnuch", "for example Punch"), ("", "''"), ("Punch,,", "''"), ("\x1bq", "is no message")]
)
def test_a_name_that_no_message_has_is_one_line_with_the_nearest(text: str, says: str) -> None:
    with pytest.raises(SelectionError) as caught:
        parse_names(text)
    assert says in str(caught.value) and str(caught.value).isprintable()
