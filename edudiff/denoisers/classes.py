"""Which training images belong to which class: a denoiser of one class alone is a view of the one of all."""

from typing import Any

import numpy as np

from edudiff.support import checks
from edudiff.support.describe import described
from edudiff.support.types import Array


class Classes:
    """The places of the images of each class, sorted by class: `order` (N,), and in it a slice for each label.

    `labels`: (N,), whole numbers or strings; None: one class of all. Raises ValueError unless there are `count` labels.
    """

    def __init__(self, labels: Any, count: int) -> None:
        self.labeled = labels is not None
        labels = checks.labels(labels, None, count) if self.labeled else np.zeros(count, int)  # (N,)
        self.labels, starts = np.unique(np.sort(labels), return_index=True)  # (K,), (K,)
        self.order = np.argsort(labels, kind="stable")  # (N,)
        self.ends = [*starts.tolist(), count]

    def __repr__(self) -> str:
        return described(self, labels=self.labels.tolist() if self.labeled else None, count=len(self.order))

    def number(self, label: Any) -> int:
        """Which class `label` is. Raises ValueError if there is none, or if no labels were given."""
        if not self.labeled:
            raise ValueError("this denoiser has no classes; build it with labels=, one label for each training image")
        known = self.labels.tolist()
        if label not in known:
            raise ValueError(f"label is {label!r}, expected one of {', '.join(map(str, known))}")
        return known.index(label)

    def slice(self, number: int | None) -> slice:
        """Where class `number` lies in `order`; None: all classes."""
        return slice(None) if number is None else slice(self.ends[number], self.ends[number + 1])

    def places(self) -> list[Array]:
        """The places of each class in the training set: a list of arrays."""
        return [self.order[self.slice(number)] for number in range(len(self.labels))]
