"""Answers the pytest plugin's questions about URLs, in a process of its own: a test's may have another `protocols`.

    python -P -m devicectl.testing check URL...      whether they are right
    python -P -m devicectl.testing identify URL      whether the device says that it is simulated: a line of JSON

Exit codes as of `devicectl`: 2 for a URL that is wrong, 3 for no device; with a sentence on standard error.
"""

import asyncio
import json
import sys
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
    if question != "check" and (question, len(urls)) != ("identify", 1):
        say("devicectl.testing: must be asked `check URL...` or `identify URL`")
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


if __name__ == "__main__":
    sys.exit(main())
