"""The documents for other languages, in the hands of the tools that people use: npm's, at pinned versions.

They are fetched into a temporary folder, which takes a minute and a registry: a test of `make nightly`.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from protocols.language.sides import Side
from tests.programs import ROOT

pytestmark = pytest.mark.nightly

TOOLS: Final = ("@asyncapi/parser@3.6.6", "@asyncapi/modelina@5.10.1", "quicktype@26.0.0")
INSTALL_TIMEOUT_S: Final = 900.0
TOOL_TIMEOUT_S: Final = 300.0
GENERATED: Final = ROOT / "docs" / "generated"
JUDGE: Final = Path(__file__).parent / "generators" / "judge.cjs"
RENAMED: Final = {"Event": "ReservedEvent", "Status": "ReservedStatus"}
"""Models whose names are taken in TypeScript, as Modelina has it."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the tools are installed."""
    for name in ("node", "npm"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")
    place = tmp_path_factory.mktemp("generators")
    run(["npm", "init", "--yes"], place, INSTALL_TIMEOUT_S)
    quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
    run(["npm", "install", *quiet, *TOOLS], place, INSTALL_TIMEOUT_S)
    yield place
    shutil.rmtree(place)


def run(line: Sequence[str | Path], folder: Path, timeout_s: float = TOOL_TIMEOUT_S) -> str:
    done = subprocess.run(list(map(str, line)), cwd=folder, capture_output=True, text=True, timeout=timeout_s)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def names() -> set[str]:
    """Of every schema."""
    return set(json.loads((GENERATED / "schemas.json").read_text(encoding="utf-8"))["$defs"])


@pytest.mark.timeout(INSTALL_TIMEOUT_S + TOOL_TIMEOUT_S)
@pytest.mark.parametrize("bundled", [False, True], ids=["split", "bundled"])
@pytest.mark.parametrize("side", Side)
def test_the_parser_finds_nothing_and_every_model_has_its_name(
    folder: Path, tmp_path: Path, side: Side, bundled: bool
) -> None:
    """The bundled one also where nothing else is."""
    document = GENERATED / f"asyncapi-{side}.json"
    if bundled:
        document = Path(shutil.copy(GENERATED / f"asyncapi-{side}-bundled.json", tmp_path))
    said: dict[str, Any] = json.loads(run(["node", JUDGE, document], folder))
    assert said["wrong"] == []
    assert [name for name in said["models"] if "anonymous" in name.lower()] == []
    assert {RENAMED.get(name, name) for name in names()} <= set(said["models"])


@pytest.mark.timeout(INSTALL_TIMEOUT_S + TOOL_TIMEOUT_S)
def test_quicktype_makes_a_type_of_every_object_where_it_is_told_where_they_are(folder: Path, tmp_path: Path) -> None:
    made = tmp_path / "bodies.ts"
    source = f"{GENERATED / 'schemas.json'}#/$defs/"
    run(["npx", "quicktype", "-s", "schema", "-l", "ts", "--just-types", source, "-o", made], folder)
    types = set()
    for line in made.read_text(encoding="utf-8").splitlines():
        match line.split():
            case ["export", "interface" | "type", name, *_]:
                types.add(name.lower())
    assert {"punch", "punchpayload", "welcome", "journalpage", "cyclerecord", "status", "devicestate"} <= types
