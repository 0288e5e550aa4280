"""The hostile device: scenes that a controller has to survive, and what is judged of what it did.

    scene       one run of the command: parameters, faults, and tampers with what it hears
    tape        everything that was said in a run, decoded, with its time
    line        one connection of the command, on which tampers drop, change and put in
    checks      judges of a tape
    cases       cases: a scene, a judge, and the rules that it shows
    bench       the device, the line and the command, as processes and sockets

Law: it knows the pages alone, shares bytes and layouts with what it judges, and looks at the wire and, beside that, at
how the command has ended.
"""
