"""The network as a whole: gradients (P47), equivariance (P48), receptive field (P49), and that it is a denoiser."""

import itertools
import math

import numpy as np
import pytest

import edudiff as ed
from edudiff.nn import ResNet, check_gradients, receptive_field
from edudiff.nn.noise_level import features, log_ratio


def random_net(*args, seed=0, **settings):
    """A small float64 network none of whose parameters is zero."""
    net = ResNet(*args, rng=np.random.default_rng(seed), dtype=np.float64, **settings)
    rng = np.random.default_rng((seed, 1))
    for value in net.parameters.values():
        value += 0.1 * rng.standard_normal(value.shape)
    return net


def images(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("padding", ("zero", "circular", "reflect"))
@pytest.mark.parametrize("target", ("edm", "eps", "x0", "v", "flow"))
def test_gradient_of_every_parameter_p47(padding, target):
    net = random_net(4, 2, image_channels=2, padding=padding, target=target, embedding_size=6)
    alpha, sigma = np.array([0.9, 0.3, 0.6]), np.array([0.2, 0.9, 0.8])
    check_gradients(net, images(3, 5, 4, 2), alpha, sigma)


@pytest.mark.parametrize(
    "settings",
    (
        {"embedding": "time", "activation": "relu"},
        {"embedding": "fourier", "activation": "gelu", "padding_channel": False},
        {"groups": 2, "attention": (0, 1), "heads": 2},
    ),
)
def test_gradient_of_every_variant_p47(settings):
    check_gradients(random_net(4, 2, embedding_size=6, **settings))


@pytest.mark.parametrize("backend", ("numpy", "numba"))
def test_gradient_on_each_backend(backend):
    if backend == "numba":
        pytest.importorskip("numba")
    net = random_net(3, 1, embedding_size=4, backend=backend)
    check_gradients(net, images(2, 4, 6, 1), 0.7, 0.7)


def test_backends_agree_in_float32():
    pytest.importorskip("numba")
    nets = [ResNet(8, 2, rng=np.random.default_rng(0), backend=b) for b in ("numpy", "numba")]
    for net in nets:
        net.parameters["out.w"] += 0.1
    x = images(3, 7, 6, 1).astype(np.float32)
    np.testing.assert_allclose(nets[0](x, 0.5, 0.8), nets[1](x, 0.5, 0.8), atol=2e-5)


@pytest.mark.parametrize(("depth", "side"), ((0, 5), (1, 7), (6, 17)))
def test_receptive_field_is_the_support_of_the_jacobian_p49(depth, side):
    """P49: 1 + 2 L pixels wide, L = depth + 2 layers; 17 for depth 6."""
    assert receptive_field(random_net(3, depth)) == side
    assert ResNet(3, depth).receptive_field == side
    assert receptive_field(ResNet(16, depth)) == side  # with as many channels as a compiled convolution may want
    assert receptive_field(random_net(3, depth, padding="reflect", activation="relu"), size=side - 2) == side - 2


def test_jacobian_by_backprop_is_the_jacobian_by_moving_each_pixel():
    net, side = random_net(3, 0), 9
    x = images(1, side, side, 1)
    x0_hat, cache = net.forward(x, 0.7, 0.7)
    dout = np.zeros_like(x0_hat)
    dout[0, 4, 4] = 1
    steps = 1e-5 * np.eye(side * side).reshape(-1, side, side, 1)
    differences = (net(x + steps, 0.7, 0.7) - net(x - steps, 0.7, 0.7))[:, 4, 4, 0] / 2e-5  # (side * side,)
    np.testing.assert_allclose(net.input_gradient(dout, cache).ravel(), differences, atol=1e-8)


def test_with_attention_every_pixel_sees_all():
    net = random_net(4, 1, attention=(0,))
    assert receptive_field(net, size=21) == 21
    assert net.receptive_field == np.inf


def test_circular_net_is_translation_equivariant_and_zero_padded_is_not_p48():
    """P48."""
    x = images(2, 6, 7, 1)
    for padding, equal in (("circular", True), ("zero", False)):
        net = random_net(4, 2, padding=padding)
        moved = net(np.roll(x, (2, 3), axis=(1, 2)), 0.6, 0.8)
        assert np.allclose(moved, np.roll(net(x, 0.6, 0.8), (2, 3), axis=(1, 2)), atol=1e-12) == equal


def test_images_of_a_batch_do_not_see_each_other():
    net, x = random_net(4, 1), images(5, 4, 4, 1)
    alpha, sigma = np.linspace(0.1, 0.9, 5), np.linspace(0.9, 0.1, 5)
    together = net(x, alpha, sigma)
    alone = np.concatenate([net(x[i : i + 1], alpha[i], sigma[i]) for i in range(5)])
    np.testing.assert_allclose(together, alone, atol=1e-12)


@pytest.mark.parametrize("dtype", (np.float32, np.float64))
def test_dtype_in_is_dtype_out_and_the_input_is_not_written(dtype):
    x = images(2, 4, 4, 1).astype(dtype)
    x.flags.writeable = False
    out = ResNet(4, 1)(x, 0.5, 0.5)
    assert out.dtype == dtype
    assert out.shape == x.shape


def test_untrained_scaled_net_is_the_best_multiple_of_x():
    """Before training the answer is 0, so x0_hat = c_skip * x: the linear regression of white data of its size on x."""
    alpha, sigma, rms = 0.8, 0.6, 0.5
    x = images(1, 4, 4, 1)
    expected = alpha * rms**2 / (alpha**2 * rms**2 + sigma**2) * x
    np.testing.assert_allclose(ResNet(4, 1, sigma_data=rms, dtype=np.float64)(x, alpha, sigma), expected)


def test_log_snr_embedding_tells_levels_apart_that_the_published_one_confuses():
    schedule = ed.schedule.cosine()
    alpha, sigma = schedule(schedule.times(20)[:-1])
    spread = {}
    for embedding in ("log_snr", "time", "fourier"):
        f = features(log_ratio(alpha, sigma), 64, embedding)
        assert f.shape == (20, 64)
        spread[embedding] = min(np.linalg.norm(f[i] - f[j]) for i, j in itertools.combinations(range(20), 2))
    assert min(spread["log_snr"], spread["fourier"]) > 5 * spread["time"]


def test_published_embedding_is_the_time_of_the_cosine_schedule():
    schedule = ed.schedule.cosine()
    t = np.linspace(0.05, 1, 7)
    f = features(log_ratio(*schedule(t)), 8, "time")
    np.testing.assert_allclose(np.arcsin(f[:, 0]), t, atol=1e-12)


def test_no_signal_and_no_noise_are_finite():
    x = images(2, 4, 4, 1)
    for target in ("edm", "eps", "x0", "v", "flow"):
        net = random_net(4, 1, target=target)
        assert np.isfinite(net(x, np.array([0.0, 1.0]), np.array([1.0, 0.0]))).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    (
        ({"channels": 0}, "channels is 0"),
        ({"depth": -1}, "depth is -1"),
        ({"padding": "periodic"}, "'periodic', expected one of 'zero', 'circular', 'reflect'"),
        ({"embedding": "beta"}, "expected one of 'log_snr'"),
        ({"target": "score"}, "expected one of 'edm'"),
        ({"activation": "tanh"}, "expected one of 'silu'"),
        ({"embedding_size": 3}, "even"),
        ({"sigma_data": 0.0}, "sigma_data is 0.0"),
        ({"attention": (1,)}, "below depth = 1"),
        ({"attention": 1}, "expected a list of integers"),
        ({"heads": 3}, "heads is 3, expected a divisor of 4"),
        ({"groups": 3}, "groups is 3, expected a divisor of 4"),
        ({"dropout": 1.5}, "dropout is 1.5"),
        ({"classes": 0}, "classes is 0"),
    ),
)
def test_bad_settings_are_named(settings, message):
    with pytest.raises((ValueError, TypeError), match=message):
        ResNet(**{"channels": 4, "depth": 1, **settings})


def test_bad_images_are_named():
    net = ResNet(4, 1)
    with pytest.raises(ValueError, match=r"\(2, 4, 4, 3\), expected images \(B, H, W, 1\)"):
        net(images(2, 4, 4, 3), 0.5, 0.5)
    with pytest.raises(ValueError, match="expected"):
        net(images(4, 4), 0.5, 0.5)
    with pytest.raises(ValueError, match="NaN"):
        net(np.full((1, 4, 4, 1), np.nan), 0.5, 0.5)
    with pytest.raises(ValueError, match="sigma is 0"):
        net(images(1, 4, 4, 1), 0.5, 0.0)
    with pytest.raises(ValueError, match="at least 3 x 3"):
        ResNet(4, 1, padding="circular")(images(1, 2, 2, 1), 0.5, 0.5)


def test_network_runs_on_the_device(any_cupy):
    net, x = ResNet(4, 1, rng=np.random.default_rng(0), backend=None), images(2, 5, 4, 1).astype(np.float32)
    net.parameters["out.w"] += 0.1
    device = any_cupy.asarray(x)
    moved = net.to(device)
    np.testing.assert_allclose(moved(device, 0.6, 0.7).get(), net(x, 0.6, 0.7), atol=1e-5)
    with pytest.raises(TypeError, match="different places"):
        net(device, 0.6, 0.7)


def test_group_normalization_lets_every_pixel_see_all_p49():
    net = random_net(4, 1, groups=2)
    assert receptive_field(net, size=21) == 21
    assert net.receptive_field == np.inf


def test_a_circular_net_on_two_images_learns_els_and_not_the_ideal_score_p50():
    """P50: black or white. Where the noise hides it from a window, the whole image still tells."""
    images = np.ones((2, 12, 12, 1), np.float32) * np.array([-1, 1], np.float32)[:, None, None, None]
    net = ResNet(8, 0, padding="circular", sigma_data=1.0, rng=np.random.default_rng(0))
    *_, state = ed.nn.train(net, images, ed.schedule.cosine(), np.random.default_rng(1), 400, batch=16)
    x0 = images[[0, 1] * 8]
    alpha, sigma = 1 / math.hypot(1, 8), 8 / math.hypot(1, 8)
    x = (alpha * x0 + sigma * np.random.default_rng(2).standard_normal(x0.shape)).astype(np.float32)
    learned = state.ema(x, alpha, sigma)
    els = ed.denoisers.Patch(images, net.receptive_field, padding="circular")(x, alpha, sigma)
    ideal = ed.denoisers.Ideal(images)(x, alpha, sigma)
    assert ((learned - els) ** 2).mean() < ((learned - ideal) ** 2).mean() / 4


def test_levels_of_each_image_are_checked():
    net, x = random_net(4, 0), images(2, 5, 5, 1)
    for alpha, sigma, says in (
        (np.array([0.5, np.nan]), 0.5, "alpha is"),
        (0.5, np.array([0.5, -1.0]), "sigma is"),
        (np.full(3, 0.5), 0.5, r"alpha has shape \(3,\) for a batch of 2"),
    ):
        with pytest.raises(ValueError, match=says):
            net(x, alpha, sigma)


def test_other_dtypes_and_generators_are_refused():
    with pytest.raises(ValueError, match="dtype is 'float16'"):
        ResNet(4, 1, dtype=np.float16)
    with pytest.raises(TypeError, match="expected a generator"):
        ResNet(4, 1, rng=3)


def test_weights_before_training_have_the_deviation_that_keeps_the_size():
    """sqrt(2 / fan-in) before a rectifier (He et al. 2015), 1 / sqrt(fan-in) for the noise-level embedding."""
    net = ResNet(64, 2, rng=np.random.default_rng(0))
    for name, gain in (("embedding.w", 1.0), ("block0.w", math.sqrt(2)), ("block1.w", math.sqrt(2))):
        w = net.parameters[name]
        fan_in = math.prod(w.shape[:-1])
        assert w.std() * math.sqrt(fan_in) == pytest.approx(gain, abs=5 * gain / math.sqrt(2 * w.size)), name
        assert abs(w.mean()) < 5 * w.std() / math.sqrt(w.size)


def test_normalization_changes_no_scale_before_training():
    for name, value in ResNet(4, 2, groups=2).parameters.items():
        if name.endswith("norm.w"):
            assert (value == 1).all()
