"""Which training pictures belong to which class: a denoiser of one class alone is a view of the one of all."""

import numpy as np


class Classes:
    """The places of the pictures of each class, sorted by class: `order` (N,), and in it a slice for each label.

    `labels`: (N,), whole numbers or strings, on the host; None: one class of all. Raises ValueError unless there are
    `count` labels.
    """

    def __init__(self, labels, count):
        self.given = labels is not None
        labels = np.zeros(count, int) if labels is None else np.asarray(labels)
        if labels.shape != (count,) or labels.dtype.kind not in "iuUS":
            raise ValueError(
                f"labels have shape {labels.shape} and dtype {labels.dtype}, expected one whole number or string for"
                f" each of {count} training pictures"
            )
        self.labels, starts = np.unique(np.sort(labels), return_index=True)  # (K,), (K,)
        self.order = np.argsort(labels, kind="stable")  # (N,)
        self.ends = [*starts.tolist(), count]

    def number(self, label):
        """Which class `label` is. Raises ValueError if there is none, or if no labels were given."""
        if not self.given:
            raise ValueError("this denoiser has no classes; build it with labels=, one label for each training picture")
        (found,) = (self.labels == label).nonzero()
        if len(found) == 0:
            raise ValueError(f"label is {label!r}, expected one of {', '.join(map(str, self.labels.tolist()))}")
        return int(found[0])

    def slice(self, number):
        """Where class `number` lies in `order`; None: all classes."""
        return slice(None) if number is None else slice(self.ends[number], self.ends[number + 1])

    def places(self):
        """The places of each class in the training set: a list of arrays."""
        return [self.order[self.slice(number)] for number in range(len(self.labels))]
