"""Finding a Dask cluster, and saying what to do when it is not there."""

import asyncio
import concurrent.futures
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from edudiff.support.threads import cores

TIMEOUT = 10.0  # seconds for a scheduler to answer, and for a first worker to come
PATIENCE = 60.0  # seconds for a worker to come back after the last one was lost; a busy machine starts one in 20
LOOK = 0.5  # seconds between two looks whether there are workers
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
    return _there(client, timeout)


def gathered(client: Any, asked: list[Any], patience: float) -> list[Any]:
    """The results of the futures `asked`, a list.

    Dask would wait for workers for ever. Raises ConnectionError if there is none for `patience` seconds on end.
    """
    answer: concurrent.futures.Future[list[Any]] = concurrent.futures.Future()

    def wait() -> None:
        try:
            answer.set_result(client.gather(asked))
        except BaseException as error:  # whatever it is, it is raised where it is waited for
            answer.set_exception(error)

    threading.Thread(target=wait, daemon=True).start()
    alive = time.monotonic()
    while not concurrent.futures.wait([answer], LOOK).done:
        if _there(client, patience):
            alive = time.monotonic()
        elif time.monotonic() - alive > patience:
            client.cancel(asked, force=True)
            raise ConnectionError(
                f"all workers of the Dask cluster were lost, and none came back within {patience:g} s; {START}, and"
                " begin again"
            )
    return answer.result()


def _there(client, timeout):
    """The addresses of the workers, from a scheduler that may not answer any more."""
    try:
        return list(client.sync(client.scheduler.ncores, callback_timeout=timeout))
    except (TimeoutError, asyncio.TimeoutError) as error:
        raise ConnectionError(f"the Dask scheduler has not answered for {timeout:g} s; {START}") from error


@contextmanager
def explained(client: Any) -> Iterator[None]:
    """Turns what Dask raises when the scheduler or one worker after the other is lost into a ConnectionError."""
    from distributed import KilledWorker
    from distributed.client import ClosedClientError
    from distributed.comm import CommClosedError

    try:
        if client.status != "running":
            raise ClosedClientError(f"the client is {client.status}")
        yield
    except KilledWorker as error:
        raise ConnectionError(
            f"{error} Is there enough memory on each worker? Use more shards on more workers"
        ) from error
    except (asyncio.CancelledError, concurrent.futures.CancelledError, ClosedClientError, OSError) as error:
        if isinstance(error, OSError) and not isinstance(error, CommClosedError) and client.status == "running":
            raise  # a file on a worker, or no worker any more; not the connection
        raise ConnectionError(
            f"the Dask scheduler was lost in the middle of the work ({type(error).__name__}); {START}, and begin again"
        ) from error
