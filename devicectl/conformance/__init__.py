"""Conformance: the numbered rules of the protocol, and the cases that show which of them somebody else's end breaks.

    rules       every rule that another end can see, with its level and whose duty it is
    case        one case, as data: what it shows, what it needs
    outcome     what a case came to, with its frames and times
    baseline    failures that are known
    report      the run as lines, JSON, JUnit and a page
    device      the probe that speaks to a device, and its cases

Law: a judge here knows the specification and shares no more with what it judges than the bytes of frames and messages.
"""
