"""A real Dask cluster on loopback: the same report as here, also with a worker killed in its midst."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress

import pytest

from devicectl.campaign.many import cluster, workers
from devicectl.campaign.many.tally import Tally
from tests.integration.campaign.test_campaign import a_campaign, report_of, short_tasks

__all__ = ["short_tasks"]


@pytest.fixture(autouse=True)
def _dask(package: Callable[[str], None]) -> None:
    package("distributed")


@contextmanager
def process(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-m", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def said(program: "subprocess.Popen[str]", pattern: str) -> str:
    """What a scheduler or worker says of itself in its log, once it has."""
    assert program.stderr is not None
    for line in program.stderr:
        if found := re.search(pattern, line):
            return found[1]
    raise AssertionError(f"it has ended without a word of {pattern}")


@contextmanager
def dask(count: int) -> Iterator[tuple[str, "list[subprocess.Popen[str]]"]]:
    with ExitStack() as stack:
        command = (
            "distributed.cli.dask_scheduler",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--no-dashboard",
            "--no-show",
        )
        scheduler = stack.enter_context(process(*command))
        address = said(scheduler, r"Scheduler at:\s+(tcp://\S+)")
        options = ("--host", "127.0.0.1", "--nthreads", "1", "--no-nanny", "--no-dashboard")
        of_worker = ("distributed.cli.dask_worker", address, *options)
        workers_of_it = [stack.enter_context(process(*of_worker)) for _ in range(count)]
        for worker in workers_of_it:  # a campaign waits 1.5 s for the first one, and a busy machine takes longer
            said(worker, r"Registered to:\s+(tcp://\S+)")
        yield address, workers_of_it


@pytest.mark.timeout(180)
def test_a_cluster_of_which_a_worker_is_killed_comes_to_the_same_report(short_tasks: None) -> None:
    campaign = a_campaign(range(1, 161), cycles=2)
    here = report_of(campaign, workers.results(campaign, 1))
    with dask(2) as (address, processes):

        def killing() -> Iterator[tuple[range, Tally]]:
            results = cluster.results(campaign, address)
            yield next(results)
            processes[0].send_signal(signal.SIGKILL)
            yield from results

        assert report_of(campaign, killing()) == here


def test_a_cluster_that_is_not_there_is_one_line() -> None:
    with pytest.raises(cluster.ClusterError) as caught:
        next(cluster.results(a_campaign(range(1)), "tcp://127.0.0.1:1"))
    assert str(caught.value) == "no Dask scheduler at tcp://127.0.0.1:1 within 2 s"
    assert caught.value.exit_code == 3


@contextmanager
def other_program(first_bytes: bytes) -> Iterator[str]:
    """The address of a program that is no scheduler, and what it says to whom it has accepted."""
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as thread, ExitStack() as accepted:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection = accepted.enter_context(server.accept()[0])
                    connection.sendall(first_bytes)

        thread.submit(serve)
        try:
            yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("first_bytes", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"], ids=["silent", "HTTP"])
def test_a_port_of_another_program_is_no_cluster(first_bytes: bytes) -> None:
    with other_program(first_bytes) as address, pytest.raises(cluster.ClusterError) as caught:
        next(cluster.results(a_campaign(range(1)), address))
    assert str(caught.value).startswith(f"no Dask scheduler at {address} within 2 s")
    assert "\n" not in str(caught.value)


def test_a_scheduler_without_workers_is_one_line() -> None:
    with dask(0) as (address, _), pytest.raises(cluster.ClusterError, match="has no worker; start one: dask worker"):
        next(cluster.results(a_campaign(range(1)), address))
