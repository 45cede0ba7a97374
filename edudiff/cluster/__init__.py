"""Past one machine: a training set in shards on the workers of a Dask cluster (extra `cluster`).

    dask scheduler                                          # prints its ADDRESS
    dask worker ADDRESS --nworkers 2 --nthreads 1           # on every machine
    edudiff sample --data mnist --images 60000 --size 28 --scheduler ADDRESS

or, in Python, on this machine alone:

    client = cluster.connect("local")
    read = functools.partial(edudiff.data.load_range, "mnist")
    denoise = cluster.Sharded(client, read, count=60000, make=functools.partial(Patch, window=5))

`shard` lives on a worker, `spread` gives each a home, `sharded` is the denoiser that asks them all; `sums` are what
`Linear` follows from.
"""

from edudiff.cluster.client import connect
from edudiff.cluster.sharded import Sharded
from edudiff.cluster.sums import scatters

__all__ = ["Sharded", "connect", "scatters"]
