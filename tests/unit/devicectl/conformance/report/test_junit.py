"""JUnit of a report: a broken MUST fails, a broken SHOULD does not, a skip says what was missing."""

from xml.etree import ElementTree

from devicectl.conformance.report.junit import junit
from tests.unit.devicectl.conformance.made import a_report


def test_junit_counts_and_names() -> None:
    root = ElementTree.fromstring(junit(a_report()))
    assert {name: root.get(name) for name in ("tests", "failures", "skipped")} == {
        "tests": "5",
        "failures": "1",
        "skipped": "2",
    }
    cases = {case.get("name"): case for case in root.iter("testcase")}
    failure = cases["frm.two"].find("failure")
    assert failure is not None and failure.get("message") == "state is ARMED <&>"
    assert failure.text == "host>device HELLO\ndevice>host [2J"
    assert cases["evt.three"].find("failure") is None
    assert cases["evt.three"].findtext("system-out") == "no record"
    skipped = cases["cyc.four"].find("skipped")
    assert skipped is not None and skipped.get("message") == "needs a broker"
    notice = next(one.get("value") for one in root.iter("property") if one.get("name") == "notice")
    assert notice == "TRAINING SIMULATOR - NOT A MEDICAL DEVICE"
