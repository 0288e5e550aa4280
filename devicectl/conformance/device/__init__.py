"""The probe: a host that tries a device, rule by rule, and says what it saw.

    wires       frames and publications, made by hand where a rule is about them
    probe       the pure end: what was heard when, what waits, what a case yields
    link        one link of the probe: HELLO, commands, their answers
    ground      the device brought to where a case begins: linked, a session open, armed, at a cell
    checks      what a case expects, and what it reports where that is not so
    cases       the cases, by the groups of the rules
    runner      one case after the other: claims, needs, limits, outcomes
    bench       the shell: a transport in real time; `devicectl.simulation.bench` is that of virtual time

Law: it shares bytes and layouts with the product (`protocols.serial.framing`, `protocols.language`) and not one of its
exchanges: what a link is and when a device has to answer is written here a second time, from the pages alone.
"""
