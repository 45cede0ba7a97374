"""Objects say what they are: their `repr` names each setting with its value, and an array by its shape."""

import numpy as np
import pytest

from edudiff import denoisers

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(-1, 1, (6, 5, 4, 1))
FLAT = RNG.uniform(-1, 1, (6, 3))
OF_IMAGES = "images=(6, 5, 4, 1)"


@pytest.mark.parametrize(
    ("thing", "says"),
    [
        (denoisers.Ideal(IMAGES), f"Ideal({OF_IMAGES}"),
        (denoisers.Composite(IMAGES, 3), f"Composite({OF_IMAGES}, window=3)"),
        (denoisers.Masked(IMAGES, 0.1), f"Masked({OF_IMAGES}, tau=0.1)"),
        (denoisers.Masked(FLAT, mask=np.eye(3)), "Masked(images=(6, 3), mask=(3, 3))"),
        (denoisers.Smoothed(IMAGES, 0.3, rng=RNG), f"Smoothed({OF_IMAGES}, spread=0.3, copies="),
        (denoisers.Patch(IMAGES, 3, shifts=False, padding="circular"), f"Patch({OF_IMAGES}, window=3, shifts=False"),
        (denoisers.Patch(IMAGES, 3, padding="circular"), "padding='circular'"),
        (denoisers.Linear.fit(FLAT, ridge=0.1), "Linear(mean=(3,), components=(3,), ridge=0.1)"),
        (denoisers.Bottleneck.fit(FLAT, 2), "Bottleneck(mean=(3,), k=2, predict='x0')"),
        (denoisers.Polynomial.fit(FLAT, 2, stop=9.0), "Polynomial(mean=(3,), degree=2, stop=9.0)"),
        (denoisers.Mixture(np.ones(1), FLAT[:1], np.eye(3)[None]), "Mixture(means=(1, 3), weights=(1,))"),
        (denoisers.Linear.fit(FLAT).generated(), "Gaussian(mean=(3,), variances=(3,), rest="),
        (denoisers.Ideal(FLAT).generated(), "Atoms(items=(6, 3))"),
    ],
    ids=lambda value: "" if isinstance(value, str) else type(value).__name__,
)
def test_a_description_holds_the_settings(thing, says):
    assert says in repr(thing)
