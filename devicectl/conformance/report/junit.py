"""A report as JUnit XML, which systems for continuous integration show: a case of a run is a case there."""

from typing import Final
from xml.etree import ElementTree

from protocols.capture.packet import JsonObject

HEADER: Final = b'<?xml version="1.0" encoding="utf-8"?>\n'
_FAILED: Final = ("failed", "mended")


def junit(data: JsonObject) -> bytes:
    """Return the XML of a report. A broken SHOULD is no failure: it is in the case's output."""
    cases = data["cases"]
    failures = sum(_fails(case) for case in cases)
    skipped = sum(case["word"] in ("skipped", "known") for case in cases)
    counts = {"tests": str(len(cases)), "failures": str(failures), "errors": "0", "skipped": str(skipped)}
    root = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(root, "testsuite", {"name": data["program"], "time": str(data["seconds"]), **counts})
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in {"notice": data["notice"], **data["judged"]}.items():
        ElementTree.SubElement(properties, "property", {"name": name, "value": _printable(str(value))})
    for case in cases:
        shown = {"classname": " ".join(case["rules"]), "name": case["id"], "time": str(case["seconds"])}
        element = ElementTree.SubElement(suite, "testcase", shown)
        reason = _printable(case["reason"])
        if _fails(case):
            failure = ElementTree.SubElement(element, "failure", {"type": case["level"], "message": reason})
            failure.text = _printable("\n".join(one["text"] for one in case["frames"]))
        elif case["word"] in ("skipped", "known"):
            ElementTree.SubElement(element, "skipped", {"message": reason})
        elif reason:
            ElementTree.SubElement(element, "system-out").text = reason
    return HEADER + ElementTree.tostring(root, encoding="unicode").encode()


def _fails(case: JsonObject) -> bool:
    return bool(case["word"] == "mended" or (case["word"] == "failed" and case["level"] == "must"))


def _printable(text: str) -> str:
    """Take away what XML 1.0 has no way to say."""
    return "".join(letter for letter in text if letter in "\n\t" or letter.isprintable())
