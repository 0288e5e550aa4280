"""The trainers' station: a lesson on one simulated handpiece, shown to a class, an instructor and a trainee.

Law: everything that a view shows comes of executing a lesson: its scenario, its seed and its timed acts. Only `server`
does I/O.
"""
