"""Reading a plan from a file: the session itself touches none."""

from pathlib import Path
from typing import Final

from devicectl.session.plan import Plan, PlanError, make_plan
from handpiece_shell.values_file import read_values
from protocols.text.values import Form, ValuesError

FORM: Final = Form("a plan", "target_cores: 10000")


def load_plan(path: str | Path, source: str = "") -> Plan:
    """Read a plan from a YAML or, by its suffix `.json`, JSON file of at most 64 KiB.

    `source` names the file in an error, with what named it; else it is the path.

    Raises:
        PlanError: the file cannot be read, is no plain mapping, or is no lawful plan.
    """
    source = source or str(path)
    try:
        values = read_values(Path(path), source, FORM).values
    except ValuesError as error:
        raise PlanError(error.source, error.key, error.value, error.right) from error
    return make_plan(values, source)
