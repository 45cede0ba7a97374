"""Objects say what they are: their `repr` names each setting with its value, and an array by its shape."""

import numpy as np
import pytest

from edudiff import denoisers
from edudiff.denoisers.classes import Classes
from edudiff.denoisers.law import FixedPoints, Line
from edudiff.denoisers.origins import provenance
from edudiff.denoisers.plane import Plane
from edudiff.denoisers.windows import Arrays

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(-1, 1, (6, 5, 4, 1))
FLAT = RNG.uniform(-1, 1, (6, 3))
OF_IMAGES = "images=(6, 5, 4, 1)"
LABELS = [1, 1, 0, 0, 1, 1]
CUT = denoisers.Patch(IMAGES, 3, backend="numpy")


def half(x, alpha, sigma):
    return 0.5 * x


@pytest.mark.parametrize(
    ("thing", "says"),
    [
        (denoisers.Ideal(IMAGES), f"Ideal({OF_IMAGES})"),
        (denoisers.Ideal(IMAGES, LABELS), f"Ideal({OF_IMAGES}, labels=[0, 1])"),
        (denoisers.Neighbors(IMAGES, 2), f"Neighbors({OF_IMAGES}, count=2)"),
        (denoisers.Composite(IMAGES, 3), f"Composite({OF_IMAGES}, window=3)"),
        (denoisers.Masked(IMAGES, 0.1), f"Masked({OF_IMAGES}, tau=0.1)"),
        (denoisers.Masked(FLAT, mask=np.eye(3)), "Masked(images=(6, 3), mask=(3, 3))"),
        (denoisers.Smoothed(IMAGES, 0.3, 7, RNG), f"Smoothed({OF_IMAGES}, spread=0.3, copies=7)"),
        (denoisers.Smoothed(IMAGES, rng=RNG), f"Smoothed({OF_IMAGES}, spread=0.1, copies=10)"),
        (denoisers.Smoothed(IMAGES, 0.0, 7), f"Smoothed({OF_IMAGES}, spread=0.0, copies=1)"),
        (CUT, f"Patch({OF_IMAGES}, window=3, padding='zero', backend='numpy')"),
        (
            denoisers.Patch(IMAGES, 3, shifts=False, padding="circular", labels=LABELS, backend="numpy"),
            f"Patch({OF_IMAGES}, window=3, shifts=False, padding='circular', labels=[0, 1], backend='numpy')",
        ),
        (denoisers.Between(half, None), f"Between({half!r}, None)"),
        (denoisers.ByLabel(lambda label: "any", LABELS), "ByLabel(labels=(6,), denoisers={0: 'any', 1: 'any'})"),
        (denoisers.LeaveOneOut(IMAGES, (4, 2), denoisers.Ideal), f"LeaveOneOut({OF_IMAGES}, left_out=[4, 2])"),
        (denoisers.Linear.fit(FLAT, ridge=0.1), "Linear(mean=(3,), components=(3,), ridge=0.1)"),
        (denoisers.Scatter.of(FLAT), "Scatter(count=6, mean=(3,), scatter=(3, 3))"),
        (denoisers.Bottleneck.fit(FLAT, 2), "Bottleneck(mean=(3,), k=2, predict='x0')"),
        (denoisers.Polynomial.fit(FLAT, 2, stop=9.0), "Polynomial(mean=(3,), degree=2, stop=9.0)"),
        (denoisers.Mixture(np.ones(1), FLAT[:1], np.eye(3)[None]), "Mixture(means=(1, 3), weights=(1,))"),
        (denoisers.Linear.fit(FLAT).generated(), "Gaussian(mean=(3,), variances=(3,), rest=0.0)"),
        (denoisers.Ideal(FLAT).generated(), "Atoms(items=(6, 3))"),
        (FixedPoints(half), f"FixedPoints(denoise={half!r}, sigma=1e-06)"),
        (Line(np.arange(3.0), np.arange(3.0)), "Line(points=(3,))"),
        (Plane(np.arange(3.0), np.arange(2.0), np.zeros((3, 2))), "Plane(first=(3,), second=(2,))"),
        (CUT.posterior(IMAGES, 0.8, 0.6), "Posterior(mean=(6, 5, 4, 1), variance=(6, 5, 4), entropy=(6, 5, 4))"),
        (provenance(CUT, IMAGES, 0.8, 0.6, 2), "Provenance(image=(6, 5, 4, 2), value=(6, 5, 4, 2, 1))"),
        (Classes(LABELS, 6), "Classes(labels=[0, 1], count=6)"),
        (Classes(None, 6), "Classes(count=6)"),
        (Arrays(IMAGES, Classes(None, 6), True, "zero"), "Arrays(images=(5, 4, 1, 6), padding='zero')"),
    ],
    ids=lambda value: "" if isinstance(value, str) else type(value).__name__,
)
def test_a_description_holds_the_settings(thing, says):
    assert repr(thing) == says
