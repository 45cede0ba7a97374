"""The best linear denoiser of rank k, and why it matters what it predicts: the image or the noise."""

from edudiff.denoisers.law import Gaussian
from edudiff.denoisers.linear import Linear, principal
from edudiff.support import checks
from edudiff.support.arrays import array_namespace
from edudiff.support.describe import described
from edudiff.support.types import Array

PREDICTS = ("x0", "eps")


class Bottleneck(Linear):
    """A linear autoencoder with k values in its middle: reduced-rank regression, along k principal components.

    With `predict="x0"`, the best answer of rank k is made of the k components with the largest variance, and the flow
    draws the data's mean and covariance on the plane of these top k. With `predict="eps"`, the best answer is made of
    the k components with the smallest variance, because these show the noise most clearly: the flow moves along the
    plane of these bottom k only, and across it x / alpha stays what it was at the start. `mean`,
    `covariance`: as for `Linear`. `k`: 1 to the number of values of an item. Where components tie, the choice among
    them is arbitrary. Raises ValueError or TypeError for anything else.
    """

    def __init__(self, mean: Array, covariance: Array, k: int, predict: str = "x0") -> None:
        super().__init__(mean, covariance)
        self._narrow(k, predict)

    @classmethod
    def fit(cls, images: Array, k: int, predict: str = "x0") -> "Bottleneck":  # type: ignore[override]
        """The bottleneck of a training set, (N, H, W, C) or (N, D); its covariance is the mean over N items."""
        mean, variances, basis = principal(images)
        self = cls.__new__(cls)
        if predict == "eps":
            # The components without variance are the bottom ones: all directions are needed, also if items are few.
            variances, basis = array_namespace(basis).linalg.eigh((basis * variances) @ basis.T)  # (D,), (D, D)
            variances = array_namespace(basis).maximum(variances, 0)  # (D,)
        self._keep(mean, variances, basis, str(images.dtype))
        self._narrow(k, predict)
        return self

    def __repr__(self) -> str:
        return described(self, mean=self.mean, k=self.k, predict=self.predict)

    def _narrow(self, k, predict):
        checks.one_of(predict, PREDICTS, "predict")
        self.k, self.predict = checks.integer(k, "k", most=len(self.basis)), predict
        order = array_namespace(self.variances).argsort(self.variances)  # (K,), rising
        order = order[-self.k :] if predict == "x0" else order
        dtype = next(iter(self._cast))
        self._keep(self.mean, self.variances[order], self.basis[:, order], dtype)

    def gain(self, variances: Array, alpha: float, sigma: float) -> Array:
        wiener = super().gain(variances, alpha, sigma)  # (K,)
        if self.predict == "x0":
            return wiener
        if alpha == 0:
            raise ValueError("alpha is 0: x0 does not follow from the noise there; begin where there is some signal")
        return array_namespace(wiener).where(self._seen(len(wiener)), wiener, 1 / alpha)  # (K,)

    def course(self, variances: Array, noise: float) -> Array:
        course = super().course(variances, noise)  # (K,)
        if self.predict == "x0":
            return course
        return array_namespace(course).where(self._seen(len(course)), course, 1.0)  # (K,)

    def generated(
        self,
        first: tuple[float, float] | None = None,
        last: tuple[float, float] = (1.0, 0.0),
        matched: bool = False,
    ) -> Gaussian:
        """As for `Linear`. A bottleneck that predicts noise remembers where it began, so there `first` is needed."""
        if self.predict == "eps" and self.k < len(self.basis) and (first is None or first[0] == 0):
            raise ValueError(
                "a bottleneck that predicts noise keeps the start in all but k directions, and pure noise over alpha"
                " has no limit; give first=(alpha, sigma), such as schedule(1.0) of the cosine schedule"
            )
        return super().generated(first, last, matched)

    def _seen(self, count):
        """Of `count` components in rising order of variance, whether the noise is predicted along each."""
        return array_namespace(self.basis).arange(count) < self.k  # (K,)
