"""Finding a Dask cluster, and saying what to do when it is not there."""

import asyncio
import concurrent.futures
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from edudiff.support.threads import cores

TIMEOUT = 10.0  # seconds for a scheduler to answer, and for a first worker to come
START = "start one with `dask scheduler`, and workers with `dask worker ADDRESS --nthreads 1`"


def connect(address: str = "local", timeout: float = TIMEOUT, local_workers: int | None = None) -> Any:
    """A `distributed.Client` of the scheduler at `address`, or, if it is "local", of a new cluster on this machine.

    "local" starts `local_workers` processes with one thread each, one for each core by default, which end with the
    client; a script that does so needs `if __name__ == "__main__":` around its work. Raises ImportError without Dask,
    ConnectionError if no scheduler, or one without workers, answers within `timeout` seconds.
    """
    try:
        from distributed import Client
    except ImportError:
        raise ImportError("a cluster needs Dask: pip install 'edudiff[cluster]'") from None
    if address == "local":
        return Client(n_workers=local_workers or cores(), threads_per_worker=1, dashboard_address=None)
    try:
        client = Client(address, timeout=timeout)
    except (OSError, ValueError, TimeoutError, asyncio.TimeoutError) as error:
        raise ConnectionError(f"no Dask scheduler answers at {address!r} within {timeout:g} s; {START}") from error
    try:
        workers(client, timeout)
    except ConnectionError:
        client.close()
        raise
    return client


def workers(client: Any, timeout: float = TIMEOUT) -> list[str]:
    """The addresses of the client's workers. Raises ConnectionError if there is none for `timeout` seconds."""
    try:
        client.wait_for_workers(1, timeout)
    except (TimeoutError, asyncio.TimeoutError):  # two classes before Python 3.11
        raise ConnectionError(f"the Dask scheduler has had no workers for {timeout:g} s; {START}") from None
    return list(client.nthreads())


@contextmanager
def explained(client: Any) -> Iterator[None]:
    """Turns what Dask raises when the scheduler or one worker after the other is lost into a ConnectionError."""
    from distributed import KilledWorker
    from distributed.client import ClosedClientError

    try:
        if client.status != "running":
            raise ClosedClientError(f"the client is {client.status}")
        yield
    except KilledWorker as error:
        raise ConnectionError(
            f"{error} Is there enough memory on each worker? Use more shards on more workers"
        ) from error
    except (asyncio.CancelledError, concurrent.futures.CancelledError, ClosedClientError, OSError) as error:
        if isinstance(error, OSError) and client.status == "running":
            raise  # a file on a worker, not the connection
        raise ConnectionError(
            f"the Dask scheduler was lost in the middle of the work ({type(error).__name__}); {START}, and begin again"
        ) from error
