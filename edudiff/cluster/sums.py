"""What a linear denoiser needs of a training set that is spread over a cluster: sums, which merge."""

from collections.abc import Callable
from typing import Any

import numpy as np

from edudiff.cluster import shard as remote
from edudiff.cluster.client import PATIENCE
from edudiff.cluster.sharded import common_shape
from edudiff.cluster.spread import Spread
from edudiff.denoisers.scatter import Scatter
from edudiff.support.arrays import array_namespace, to_numpy
from edudiff.support.types import Array


def scatters(
    client: Any,
    read: Callable[[int, int], Any],
    count: int,
    shards: int | None = None,
    gpu: bool = True,
    patience: float = PATIENCE,
) -> dict[Any, Scatter]:
    """The `Scatter` of the whole training set under None and, where `read` returns labels, that of each class.

    `scatters(...)[None].linear()` is `Linear.fit` of all images, to rounding, and lives on this machine. Arguments and
    errors as for `Sharded`.
    """
    spread = Spread(client, read, count, by_label, shards, gpu, patience)
    common_shape(spread, [about.shape for about in spread.ask(remote.about)])
    found = spread.ask(remote.made)
    labels = {label for parts in found for label in parts}
    return {label: Scatter.merged(parts[label] for parts in found if label in parts) for label in labels}


def by_label(images: Array, labels: Any = None) -> dict[Any, Scatter]:
    """{None: the `Scatter` of all images, and each label: that of the images of its class}, on the host."""
    xp, found = array_namespace(images), {None: Scatter.of(images)}
    for label in [] if labels is None else np.unique(labels).tolist():
        found[label] = Scatter.of(images[xp.asarray((np.asarray(labels) == label).nonzero()[0])])
    return {k: Scatter(one.count, to_numpy(one.mean), to_numpy(one.scatter)) for k, one in found.items()}
