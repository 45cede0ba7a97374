"""Which training pictures belong to which class: a denoiser of one class alone is a view of the one of all."""

import numpy as np

from edudiff.support.arrays import array_namespace


class Classes:
    """The places of the pictures of each class, sorted by class: `order` (N,), and in it a slice for each label.

    `labels`: (N,), whole numbers or strings, on the host; None: one class of all. Raises ValueError unless there are
    `count` labels.
    """

    def __init__(self, labels, count):
        self.labeled = labels is not None
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
        if not self.labeled:
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


class ByLabel:
    """A denoiser of a batch whose pictures are of different classes, picture i of class `labels[i]`.

    `conditional`: a function from a label to a denoiser, such as the method of `Patch` or `Ideal`; it is asked once
    for each label. `labels`: (B,), on the host. Raises ValueError for a batch of another size.
    """

    def __init__(self, conditional, labels):
        self.labels = np.asarray(labels)
        self.denoisers = {label: conditional(label) for label in np.unique(self.labels).tolist()}

    def __call__(self, x, alpha, sigma):
        """`x`: (B, ...). Returns x0_hat, same shape, dtype and device."""
        x0_hat = array_namespace(x).empty_like(x)  # (B, ...)
        for label, mine in self._places(x):
            x0_hat[mine] = self.denoisers[label](x[mine], alpha, sigma)
        return x0_hat

    def sweep(self, x, alpha, sigma, sizes):
        """The answers of several window sizes of a `Patch`: {size: x0_hat}."""
        answers = {size: array_namespace(x).empty_like(x) for size in sizes}  # (B, H, W, C) each
        for label, mine in self._places(x):
            for size, x0_hat in self.denoisers[label].sweep(x[mine], alpha, sigma, sizes).items():
                answers[size][mine] = x0_hat
        return answers

    def _places(self, x):
        """Each label, and which pictures of the batch are of it, (b,)."""
        if len(x) != len(self.labels):
            raise ValueError(f"a batch of {len(x)} for {len(self.labels)} labels; expected one label for each picture")
        xp = array_namespace(x)
        return [(label, xp.asarray((self.labels == label).nonzero()[0])) for label in self.denoisers]
