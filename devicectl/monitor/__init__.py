"""A tap in a line between a host and a device: `devicectl monitor`, and `spy+` before a device URL.

    host -- A == passing.py == B -- device      a process of its own, which passes bytes on before all else
                   |
                  wire.py                       a pipe of observations: who said what, and when
                   |
               watching.py                      decodes, counts, records, shows

Law: the line never waits for what is made of it. What is shown and counted changes nothing that is passed on.
"""
