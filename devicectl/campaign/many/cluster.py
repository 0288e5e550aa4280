"""A Dask cluster that judges the tasks of a campaign: extra `cluster`, imported when one is asked for.

Law: each task is keyed by the work and its range, so that one that ran twice changes nothing. A worker that is
killed costs time: its tasks are given to others.
"""

import asyncio
import hashlib
import logging
from collections.abc import Generator
from typing import Final

from devicectl.campaign.many.tally import Tally
from devicectl.campaign.many.work import Work, judge_part
from devicectl.errors import DevicectlError
from handpiece_shell.version import VERSION

CONNECT_S: Final = 2
WORKERS_S: Final = 1.5
"""Seconds that a scheduler, and then a first worker, may take: together below the five that a person waits."""
RETRIES: Final = 3


class ClusterError(DevicectlError):
    """There is no such cluster, or it cannot do the work."""

    exit_code = 3


def results(work: Work, address: str) -> Generator[tuple[range, Tally], None, None]:
    """Yield each range of the work with what it came to, as the cluster has done them.

    Raises:
        ClusterError: it is not there, has no worker, another version of this program, or has gone.
    """
    try:
        from distributed import Client, as_completed
    except ImportError as error:
        raise ClusterError("--cluster needs the extra: pip install 'devicectl[cluster]'") from error
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what it has to say is said in one line, below
    _require_scheduler(address)
    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise ClusterError(f"no Dask scheduler at {address} within {CONNECT_S} s") from error
    try:
        _require_worker(client, address)
        digest = hashlib.sha256(repr(work).encode()).hexdigest()[:16]
        futures = {
            client.submit(
                judge_part, work, part, VERSION, key=f"devicectl-{digest}-{part[0]}-{part[-1]}", retries=RETRIES
            ): part
            for part in work.tasks()
        }
        for future in as_completed(futures, loop=client.loop):
            yield futures[future], future.result()
            future.release()
    except ClusterError:
        raise
    except Exception as error:  # a library of many errors: whatever it is, the campaign ends by it
        raise ClusterError(f"the cluster at {address} has failed: {type(error).__name__}: {error}") from error
    finally:
        client.close(timeout=CONNECT_S)


def _require_scheduler(address: str) -> None:
    """See that a scheduler greets there: a client takes most of a minute, and many lines, to give up a port of others.

    Raises:
        ClusterError: none does.
    """
    from distributed import Security
    from distributed.comm import connect

    async def greet() -> None:
        async with asyncio.timeout(CONNECT_S):
            comm = await connect(address, timeout=CONNECT_S, **Security().get_connection_args("client"))
            comm.abort()

    try:
        asyncio.run(greet())
    except Exception as error:  # another program's first bytes are taken for lengths: even a MemoryError comes of them
        reason = f": {str(error).splitlines()[0]}" if str(error) else ""
        raise ClusterError(f"no Dask scheduler at {address} within {CONNECT_S} s{reason}") from error


def _require_worker(client: object, address: str) -> None:
    from distributed import Client

    assert isinstance(client, Client)
    try:
        client.wait_for_workers(1, timeout=WORKERS_S)
    except TimeoutError as error:
        raise ClusterError(
            f"the Dask scheduler at {address} has no worker; start one: dask worker {address}"
        ) from error
