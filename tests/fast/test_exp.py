"""Powers of 2 in the compiled loops, against NumPy's."""

import numpy as np
import pytest

pytest.importorskip("numba")

from edudiff.fast.exp import exp2_double, exp2_single


def test_single_precision_over_its_whole_range():
    t = np.random.default_rng(0).uniform(-126, 127, 2000).astype(np.float32)
    found = np.array([exp2_single(value) for value in t])
    np.testing.assert_allclose(found, np.exp2(t.astype(np.float64)), rtol=2.5e-7)


def test_double_precision_below_one():
    t = np.random.default_rng(0).uniform(-1022, 0, 2000)
    np.testing.assert_allclose([exp2_double(value) for value in t], np.exp2(t), rtol=4e-16)


def test_whole_powers_are_exact_and_the_ends_are_kept():
    whole = np.arange(-126, 128)
    np.testing.assert_array_equal([exp2_single(np.float32(k)) for k in whole], np.ldexp(np.float32(1), whole))
    assert exp2_single(np.float32(-1e6)) == np.float32(2.0**-126)
    assert exp2_double(-1e6) == 2.0**-1022
    assert exp2_double(0.0) == 1.0
