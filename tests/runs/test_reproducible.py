"""The same seed is the same picture: on every back end, in every batch."""

import numpy as np
import pytest

import edudiff as ed
from edudiff.compare import experiment
from edudiff.data import shapes
from edudiff.denoisers import Patch, WindowSchedule

SCHEDULE = ed.schedule.cosine()
TIMES = SCHEDULE.times(20)
IMAGES = shapes.hands(24, size=14, rng=np.random.default_rng(0))
SCALES = WindowSchedule([sigma / alpha for alpha, sigma in map(SCHEDULE, TIMES[:-1])], [7] * 8 + [5] * 6 + [3] * 6)


def denoisers(backend):
    net = ed.nn.ResNet(8, 1, rng=np.random.default_rng(0), backend=backend)
    net.parameters["out.w"] += 0.02
    els, local = (Patch(IMAGES, window=SCALES, shifts=shifts, backend=backend) for shifts in (True, False))
    return {"network": net, "els": els, "local": local, "ideal": ed.denoisers.Ideal(IMAGES)}


def images(backend, numbers):
    """As the command line draws: float32 training pictures, float64 noise."""
    drawn, _, _ = experiment(denoisers(backend), SCHEDULE, TIMES, IMAGES.shape[1:], 3, numbers)
    return drawn


def test_back_ends_draw_the_same_pictures():
    pytest.importorskip("numba")
    numpy, numba = images("numpy", range(8)), images("numba", range(8))
    for name, batch in numpy.items():
        np.testing.assert_allclose(numba[name], batch, atol=1e-4, err_msg=name)


def test_a_picture_is_the_same_alone_and_among_eight():
    together = images(None, range(8))
    alone = [images(None, [number]) for number in range(8)]
    for name, batch in together.items():
        np.testing.assert_allclose(np.concatenate([one[name] for one in alone]), batch, atol=1e-4, err_msg=name)
