"""The page about the session log names every column that an export has, and no other."""

import re

from devicectl.log.exports.csv_tables import CYCLE_COLUMNS, NEEDLES, NOTE_COLUMNS, SESSION_COLUMNS
from devicectl.log.fields import LATER
from tests.architecture.tree import ROOT

PAGE = (ROOT / "docs" / "session-log.md").read_text(encoding="utf-8")
TABLES = {"sessions": SESSION_COLUMNS, "cycles": CYCLE_COLUMNS, "notes": NOTE_COLUMNS}


def test_columns_are_told_of_the_tables_that_have_them() -> None:
    rows = re.findall(r"^\| (`.*?) \| ([a-z, ]+) \| .* \|$", PAGE.partition("| column |")[2], re.MULTILINE)
    told: dict[str, set[str]] = {name: set() for name in TABLES}
    for columns, tables in rows:
        for table in tables.split(", "):
            told[table] |= set(re.findall(r"`(\w+)`", columns))
    first = re.findall(r"`(\w+)`", PAGE.partition("Every row begins with")[2].partition("Then:")[0])
    for table, columns in TABLES.items():
        assert list(columns[: len(first)]) == first
        found = told[table] - {"began_wall", "stored_wall", "logged_wall"}
        elsewhere = {*NEEDLES, *(field.name for field in LATER)}
        expected = {*columns} - {*first, *elsewhere} | ({"needle_1", "needle_8"} if table == "cycles" else set())
        assert found == expected - {"began_wall", "stored_wall", "logged_wall"}
