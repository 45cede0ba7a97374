"""The plain loops of lesson 15 are `Patch`, and the page's scores."""

import numpy as np
import pytest

pytest.importorskip("numba")

from edudiff import scores
from edudiff.denoisers import Patch
from edudiff.fast import plain

LEVELS = [(0.999, 0.05), (0.8, 0.6), (0.0, 1.0)]


@pytest.mark.parametrize("shifts", [True, False])
@pytest.mark.parametrize("padding", ["zero", "circular"])
@pytest.mark.parametrize("channels", [1, 3])
def test_plain_loops_are_patch_and_the_page(padding, shifts, channels):
    rng = np.random.default_rng(channels)
    images, x = rng.uniform(-1, 1, (5, 7, 5, channels)), rng.standard_normal((2, 7, 5, channels))
    page = scores.els if shifts else scores.local
    for window in (1, 3, 5, 13) if padding == "zero" else (1, 3, 5):
        for level in LEVELS:
            answer = plain.els(x, images, *level, window, padding, shifts)
            np.testing.assert_allclose(answer, page(images, window, padding)(x, *level), atol=1e-12)
            for backend in ("numpy", "numba"):
                engine = Patch(images, window, padding=padding, shifts=shifts, prune=False, backend=backend)
                # Both may leave out 1e-8 of the weights at most; here there are few, and they leave out less.
                np.testing.assert_allclose(engine(x, *level), answer, atol=1e-10)


def test_plain_loops_answer_in_the_dtype_of_x():
    images, x = np.random.default_rng(0).uniform(-1, 1, (2, 3, 6, 6, 1)).astype("f4")
    answer = plain.els(x, images, 0.8, 0.6, 3)
    assert answer.dtype == np.float32
    np.testing.assert_allclose(answer, plain.els(x.astype("f8"), images.astype("f8"), 0.8, 0.6, 3), atol=1e-6)
