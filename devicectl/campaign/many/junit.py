"""A campaign's report as JUnit XML, which systems for continuous integration show.

Law: each block of seeds is a case, and each session that failed is one of its own.
"""

from collections.abc import Iterable
from typing import Final
from xml.etree import ElementTree

from protocols.capture.packet import JsonObject

SUITE: Final = "devicectl campaign"
HEADER: Final = b'<?xml version="1.0" encoding="utf-8"?>\n'


def junit(data: JsonObject, tasks: Iterable[range]) -> bytes:
    """Return the XML of a report; `tasks` are the blocks of seeds."""
    failures = {failure["seed"]: failure for failure in data["failures"]}
    names = [f"seeds {seeds[0]} to {seeds[-1]}" for seeds in tasks]
    counts = {"tests": str(len(names) + len(failures)), "failures": str(len(failures)), "errors": "0"}
    root = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(root, "testsuite", {"name": SUITE, "time": str(data["times"]["seconds"]), **counts})
    properties = ElementTree.SubElement(suite, "properties")
    for name in ("notice", "version", "claim"):
        ElementTree.SubElement(properties, "property", {"name": name, "value": data[name]})
    for name in names:
        ElementTree.SubElement(suite, "testcase", {"classname": SUITE, "name": name})
    for seed, failure in failures.items():
        case = ElementTree.SubElement(suite, "testcase", {"classname": SUITE, "name": f"seed {seed}"})
        shown = {"type": failure["word"], "message": f"{failure['judge'] or failure['word']}: {failure['sentence']}"}
        ElementTree.SubElement(
            case, "failure", {key: _printable(text) for key, text in shown.items()}
        ).text = _printable(f"{failure['repeat']}\n" + "\n".join(map(str, failure["faults"])))
    return HEADER + ElementTree.tostring(root, encoding="unicode").encode()


def _printable(text: str) -> str:
    """Take away what XML 1.0 has no way to say."""
    return "".join(letter for letter in text if letter in "\n\t" or letter.isprintable())
