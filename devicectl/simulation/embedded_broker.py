"""The broker of the package `iotcore` as a program: `python -P embedded_broker.py CONFIGURATION`.

Its own program writes several lines for each message, most of them as errors; this one, those of its listener alone.

Law: a script of its own, which imports nothing of the package.
"""

import logging
import sys
from typing import Final

LISTENER: Final = "rumqttd.server.broker"


def main() -> None:
    """Be a broker until this process is ended."""
    logging.basicConfig(format="%(message)s", level=logging.CRITICAL)
    logging.getLogger(LISTENER).setLevel(logging.INFO)
    import iotcore  # an extra: the starter of this has looked for it

    try:
        iotcore.Broker(config_path=sys.argv[1]).run_forever()
    except (OSError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
