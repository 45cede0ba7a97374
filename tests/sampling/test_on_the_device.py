"""What is done with a sampler on a GPU is what is done on the host: the same numbers, in the place of x."""

import numpy as np
import pytest

import edudiff as ed
from edudiff.denoisers import Ideal, Linear
from edudiff.sampling import Measurement, guided, log_likelihood, posterior_guided, replacement_steps, slerp
from edudiff.support.random import streams

SCHEDULE = ed.schedule.cosine()
RNG = np.random.default_rng(0)
DATA, X = RNG.uniform(-1, 1, (9, 3)), RNG.standard_normal((4, 3))
MATRIX, Y = np.array([[1.0, 0.5, 0.0], [0.0, 1.0, -1.0]]), RNG.uniform(-1, 1, (4, 2))


def guide(here):
    denoise = guided(Ideal(here(DATA), np.arange(9) % 2).conditional(1), Ideal(here(DATA)), 2.5)
    return ed.reverse.sample(denoise, SCHEDULE, here(X), SCHEDULE.times(5))


def likelihood(here):
    return log_likelihood(Ideal(here(DATA)), SCHEDULE, here(X), np.linspace(0.2, 1, 5))


def estimated(here):
    denoise = Linear.fit(here(DATA))
    return log_likelihood(denoise, SCHEDULE, here(X), np.linspace(0.2, 1, 5), probes=2, rng=np.random.default_rng(1))


def replace(here):
    measurement = Measurement(here(MATRIX), 0.1)
    walk = replacement_steps(Ideal(here(DATA)), SCHEDULE, here(X), [0.9, 0.5, 0.0], measurement, here(Y), streams(0, 4))
    *_, last = walk
    return last.x_next


def exactly(here):
    return posterior_guided(Linear.fit(here(DATA)), Measurement(here(MATRIX), 0.1), here(Y))(here(X), 0.8, 0.6)


def cheaply(here):
    return posterior_guided(Ideal(here(DATA)), Measurement(here(MATRIX), 0.1), here(Y), "sphere")(here(X), 0.8, 0.6)


def conditioned(here):
    law = Ideal(here(DATA)).generated().conditioned(here(MATRIX), here(Y[0]), 0.4)
    return law.mean


def normal(here):
    return Linear.fit(here(DATA)).generated().conditioned(here(MATRIX), here(Y[0]), 0.4).covariance


def arc(here):
    return slerp(here(X), here(DATA[:4]), 0.3)


@pytest.mark.parametrize("use", [guide, likelihood, estimated, replace, exactly, cheaply, conditioned, normal, arc])
def test_on_the_device_as_on_the_host(standin_cupy, use):
    found = use(standin_cupy.asarray)
    assert type(found) is standin_cupy.ndarray
    np.testing.assert_allclose(found.get(), use(np.asarray), atol=1e-9)
