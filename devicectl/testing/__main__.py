"""Answers the pytest plugin's questions, in a process of its own: a test's may have another `protocols`.

    python -P -m devicectl.testing check URL...      whether they are right
    python -P -m devicectl.testing identify URL      whether the device says that it is simulated: a line of JSON
    python -P -m devicectl.testing twin FILE MAX_AGE FIRMWARE    reasons not to trust a twin, a line each

Exit codes as of `devicectl`: 2 for a URL or file that is wrong, 3 for no device; with a sentence on standard error.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Final

from devicectl.errors import DevicectlError
from devicectl.transports.urls import parse_url
from handpiece_shell.streams import say

BAD_ARGUMENTS: Final = 2


async def identify(url: str) -> bool:
    """Return true if the device at `url` says that it is simulated. Changes nothing on it."""
    from devicectl import connect  # most of the package: checking a URL goes without
    from protocols.language.enums import Role

    async with connect(url, role=Role.VIEWER) as handpiece:
        return handpiece.simulated


def main() -> int:
    """Answer one question; the exit code."""
    question, *urls = sys.argv[1:] or [""]
    if (question, len(urls)) == ("twin", 3):
        return _twin(*urls)
    if question != "check" and (question, len(urls)) != ("identify", 1):
        say("devicectl.testing: must be asked `check URL...`, `identify URL` or `twin FILE MAX_AGE FIRMWARE`")
        return BAD_ARGUMENTS
    try:
        for url in urls:
            parse_url(url)
        if question == "identify":
            print(json.dumps(asyncio.run(identify(urls[0]))))
    except DevicectlError as error:
        say(str(error))
        return error.exit_code
    return 0


def _twin(path: str, max_age: str, firmware: str) -> int:
    """Print each doubt about the twin in a file."""
    from devicectl import clock
    from devicectl.testing.twins import TwinFileError, find_doubts

    try:
        text = Path(path).read_text(encoding="utf-8")
        doubts = find_doubts(text, clock.wall(), max_age=max_age, firmware=firmware)
    except OSError as error:
        say(f"{path}: cannot be read: {error.strerror}; name what `firmware-sim twin --output` has written")
    except (TwinFileError, UnicodeDecodeError) as error:
        say(f"{path}: {error if isinstance(error, TwinFileError) else 'is no text'}")
    else:
        print("\n".join(f"{path}: {doubt}" for doubt in doubts))
        return 0
    return BAD_ARGUMENTS


if __name__ == "__main__":
    sys.exit(main())
