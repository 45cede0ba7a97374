"""Where a network looks: its sensitivity against differences, within its receptive field, and the masks made of it."""

import numpy as np
import pytest

import edudiff as ed
from edudiff.compare import sensitivity, sensitivity_masks
from edudiff.denoisers import Masked
from edudiff.sampling import jacobian_matrix
from edudiff.support.random import standard_normal

SCHEDULE = ed.schedule.cosine()
RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(-1, 1, (3, 5, 6, 1))
NET = ed.nn.ResNet(4, 0, rng=np.random.default_rng(1), dtype=np.float64)
for weights in NET.parameters.values():  # the last layer begins at 0
    weights += 0.2 * RNG.standard_normal(weights.shape)


def test_sensitivity_is_the_size_of_the_jacobian():
    x = RNG.standard_normal((2, 5, 6, 1))
    matrix = jacobian_matrix(NET, x, 0.7, 0.6)  # (B, m, j)
    np.testing.assert_allclose(sensitivity(NET, x, 0.7, 0.6), np.abs(matrix).mean(0).T, atol=1e-7)


def test_a_value_is_sensitive_to_its_receptive_field_alone():
    found = sensitivity(NET, IMAGES, 0.7, 0.6).reshape(5, 6, 5, 6)
    reach = int(NET.receptive_field) // 2
    for i, j in ((0, 0), (2, 3)):
        rows, columns = np.nonzero(found[:, :, i, j])
        assert max(abs(rows - i).max(), abs(columns - j).max()) == min(reach, 3 if (i, j) == (2, 3) else reach)


def test_masks_are_those_of_the_nearest_noise_level():
    times = np.array([0.2, 0.5, 0.8])
    masks = sensitivity_masks(NET, IMAGES, SCHEDULE, times, np.random.default_rng(2), tau=0.1)
    for t in times:
        assert masks(*SCHEDULE(t)) is masks(*SCHEDULE(t + 0.01))
    assert masks(0.0, 1.0) is masks(*SCHEDULE(0.8))
    for t in times:
        mask = masks(*SCHEDULE(t))
        assert set(np.unique(mask)) <= {0, 1} and (np.diag(mask) == 1).all()
    everything = sensitivity_masks(NET, IMAGES, SCHEDULE, times[:1], np.random.default_rng(2), tau=0)
    np.testing.assert_array_equal(everything(0.7, 0.7), np.ones((30, 30)))


def test_a_masked_denoiser_is_made_of_hard_and_of_soft_masks():
    x = RNG.standard_normal((2, 5, 6, 1))
    for tau in (0.2, None):
        masks = sensitivity_masks(NET, IMAGES, SCHEDULE, [0.3, 0.7], np.random.default_rng(2), tau)
        by_level, fixed = Masked(IMAGES, mask=masks), Masked(IMAGES, mask=masks(0.7, 0.7))
        np.testing.assert_array_equal(by_level(x, 0.7, 0.7), fixed(x, 0.7, 0.7))


@pytest.mark.parametrize(
    ("times", "tau", "says"),
    [([0.0], 0.1, "at t = 0.0 there is no noise"), ([0.5], 1.5, "tau is 1.5"), ([0.5], -0.5, "tau is -0.5")],
)
def test_bad_masks_are_refused(times, tau, says):
    with pytest.raises(ValueError, match=says):
        sensitivity_masks(NET, IMAGES, SCHEDULE, times, np.random.default_rng(0), tau)


def test_a_mask_is_the_sensitivity_over_the_strongest_and_each_value_looks_at_itself():
    alpha, sigma = SCHEDULE(0.5)
    x = alpha * IMAGES + sigma * standard_normal(np.random.default_rng(2), IMAGES.shape, like=IMAGES)
    found = sensitivity(NET, x, alpha, sigma)
    share = found / found.max(0)
    soft, hard = (
        sensitivity_masks(NET, IMAGES, SCHEDULE, [0.5], np.random.default_rng(2), tau)(0.7, 0.7) for tau in (None, 0.4)
    )
    off = ~np.eye(30, dtype=bool)
    np.testing.assert_allclose(soft[off], share[off], atol=1e-12)
    np.testing.assert_array_equal(hard[off], share[off] >= 0.4)
    assert (np.diag(soft) == 1).all() and (np.diag(hard) == 1).all()


@pytest.mark.parametrize(("factor", "time"), [(0.99, 0.2), (1.01, 0.8)])
def test_the_nearest_level_is_that_in_the_logarithm_of_noise_over_signal(factor, time):
    masks = sensitivity_masks(NET, IMAGES, SCHEDULE, [0.2, 0.8], np.random.default_rng(2), tau=0.1)
    ratios = [sigma / alpha for alpha, sigma in map(SCHEDULE, (0.2, 0.8))]
    assert masks(1.0, factor * np.sqrt(ratios[0] * ratios[1])) is masks(*SCHEDULE(time))
    assert masks(*SCHEDULE(0.2)) is not masks(*SCHEDULE(0.8))


def test_a_single_image_is_a_batch():
    assert sensitivity(NET, IMAGES[:1], 0.7, 0.6).shape == (30, 30)


def test_a_value_looks_from_a_twentieth_of_the_strongest_on_if_no_other_share_is_given():
    def mask(*tau):
        return sensitivity_masks(NET, IMAGES, SCHEDULE, [0.5], np.random.default_rng(2), *tau)(0.7, 0.7)

    np.testing.assert_array_equal(mask(), mask(0.05))
    assert (mask() != mask(0.07)).any()
    strongest = mask(None) == 1
    np.testing.assert_array_equal(mask(1), strongest)  # as sensitive as to the strongest is enough


def test_a_float32_network_is_asked_in_float32_and_measured_in_float64():
    """Of which the mean is taken."""
    asked = []

    class Slope:
        def forward(self, x, alpha, sigma):
            asked.append(x.dtype)
            return x, None

        def input_gradient(self, dout, cache):
            return (dout.T * np.linspace(0.1, 1, len(dout))).T.astype("float32")

    images = np.zeros((50, 1, 2, 1), "float32")
    masks = sensitivity_masks(Slope(), images, SCHEDULE, [0.5], np.random.default_rng(0), None)
    assert asked == [np.float32]
    np.testing.assert_array_equal(masks(0.7, 0.7), np.eye(2))
    found = sensitivity(Slope(), images, 0.7, 0.7)
    assert found.dtype == np.float64
    known = np.linspace(0.1, 1, 50).astype("float32").mean(dtype="float64")
    np.testing.assert_allclose(found, known * np.eye(2), rtol=1e-12)
