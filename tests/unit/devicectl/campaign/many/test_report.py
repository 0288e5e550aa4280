from devicectl.campaign.many.campaign import Campaign
from devicectl.campaign.many.report import LARGE, WIDTH, lines, report_data
from devicectl.campaign.many.tally import RIGHT, Tally
from devicectl.campaign.many.unseen import unseen


def shown(sessions: int) -> list[str]:
    tally = Tally(sessions=sessions)
    tally.words[RIGHT] = sessions
    data = report_data(Campaign({}, sessions, 2, 1), tally, command="devicectl campaign", seconds=1)
    return [line for line in lines(data) if line]


def test_a_few_sessions_say_in_one_line_how_much_none_of_them_has_met() -> None:
    count = sum(not one.reason for one in unseen(Tally()))
    assert [line for line in shown(LARGE - 1) if "never seen" in line] == [
        f"never seen: {count} changes of state, refusals, interlocks, alarms and faults;"
    ]


def test_many_sessions_name_what_none_of_them_has_met_in_lines_that_fit() -> None:
    said = shown(LARGE)
    assert max(map(len, said)) <= WIDTH
    assert any(line.startswith("never seen, changes of the host's state: ") for line in said)
    assert any("torn_write" in line for line in said)
