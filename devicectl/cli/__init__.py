"""`devicectl`: the command line. Thin: it parses, calls, prints, and turns errors into one line and an exit code.

0 done and reconciled · 1 the session ended otherwise, or standard output could not be written · 2 bad arguments, plan
or URL · 3 no device or no link · 4 the session log could not be written · 130 interrupted before it began
"""

import sys
from collections.abc import Sequence

from handpiece_shell.streams import guard_streams, settle, why_lost
from handpiece_shell.version import version_text


def call(arguments: Sequence[str]) -> int:
    """Run the command line; its exit code. Whatever a user can do wrong is one line on standard error."""
    if list(arguments) == ["--version"]:
        print(f"devicectl {version_text()}")
        if why_lost() is None:  # else the program reports it
            return 0
    from devicectl.cli.program import call as call_program

    return call_program(arguments)


def main() -> None:
    """Run the program."""
    guard_streams()
    try:
        code = call(sys.argv[1:])
    except KeyboardInterrupt:  # the program itself was still being imported
        code = 130
    except BrokenPipeError:  # the reader of our output has gone, and nothing more can be said
        code = 1
    settle()
    sys.exit(code)
