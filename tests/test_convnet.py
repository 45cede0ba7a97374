"""The page's network: gradients, preconditioning, Adam, training; and that it is the engine's, number for number."""

import math
from dataclasses import replace

import numpy as np
import pytest

import edudiff as ed
from edudiff import convnet, forward, nn
from edudiff.nn.loss import denoising_loss

SCHEDULE = ed.schedule.cosine()


def random_net(seed=0, dtype=np.float64, **settings):
    """A small network none of whose weights is zero, so that every gradient matters."""
    net = convnet.init(np.random.default_rng(seed), **{"channels": 4, "dtype": dtype, **settings})
    rng = np.random.default_rng((seed, 1))
    return replace(net, params={k: p + 0.1 * rng.standard_normal(p.shape).astype(dtype) for k, p in net.params.items()})


def engine_twin(net, image_channels):
    """The engine's network with the same weights."""
    settings = {"image_channels": image_channels, "padding": net.padding, "sigma_data": net.sigma_data}
    twin = nn.ResNet(len(net.params["in.b"]), net.depth, **settings, dtype=net.params["in.w"].dtype, backend="numpy")
    assert set(twin.parameters) == set(net.params)
    return twin.with_parameters(net.params)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


DATA = np.tanh(normal(6, 6, 6, 1)).astype(np.float32)  # (N, H, W, C)


def trained(net, data, steps, seed=1, **settings):
    return list(convnet.train(net, data, SCHEDULE, rng=np.random.default_rng(seed), steps=steps, **settings))


@pytest.mark.parametrize("padding", ("zero", "circular"))
@pytest.mark.parametrize("image_channels", (1, 3))
def test_answer_and_all_gradients_are_the_engines(padding, image_channels):
    net = random_net(image_channels=image_channels, padding=padding, sigma_data=0.7)
    twin = engine_twin(net, image_channels)
    x, alpha, sigma = normal(3, 5, 6, image_channels), np.array([0.9, 0.3, 0.0]), np.array([0.2, 0.9, 1.0])
    x0_hat, cache = convnet.forward(net, x, alpha, sigma)
    expected, cache_twin = twin.forward(x, alpha, sigma)
    np.testing.assert_allclose(x0_hat, expected, atol=1e-10)
    dout = normal(*x.shape, seed=1)
    grads, expected = convnet.backward(net, dout, cache), twin.backward(dout, cache_twin)
    for name, grad in grads.items():
        np.testing.assert_allclose(grad, expected[name], atol=1e-10, err_msg=name)
    assert set(grads) == set(net.params)


def test_initial_weights_are_the_engines():
    net = convnet.init(np.random.default_rng(3), channels=6, depth=3, image_channels=3)
    twin = nn.ResNet(6, 3, image_channels=3, rng=np.random.default_rng(3))
    for name, value in net.params.items():
        assert value.dtype == np.float32
        np.testing.assert_array_equal(value, twin.parameters[name], err_msg=name)


def test_loss_gradients_and_first_step_are_the_engines():
    """The same images, times and noise from the same seed; the second loss is that after one step of Adam."""
    net, data, rng = random_net(), DATA.astype(np.float64), np.random.default_rng(1)
    loss, expected = denoising_loss(engine_twin(net, 1), data, SCHEDULE, np.random.default_rng(1), 4, "edm")
    x0, t = data[rng.integers(6, size=4)], (np.arange(4) + rng.random(4)) / 4
    loss_here, grads = convnet.denoising_loss(net, x0, *SCHEDULE(t), rng.standard_normal(x0.shape))
    assert loss_here == pytest.approx(loss, rel=1e-10)
    for name, grad in grads.items():
        np.testing.assert_allclose(grad, expected[name], atol=1e-10, err_msg=name)
    states = nn.train(engine_twin(net, 1), data, SCHEDULE, np.random.default_rng(1), 1000, batch=4, rate=1e-2)
    for state in trained(net, data, 2, batch=4, rate=1e-2):
        assert state.loss == pytest.approx(next(states).loss, rel=1e-9)


def test_backward_is_the_derivative_of_forward():
    x, w = normal(2, 4, 5, 3), normal(3, 3, 3, 2)
    for layer, *inputs in (
        ("conv", x, w, normal(2), "zero"),
        ("conv", x, w, normal(2), "circular"),
        ("dense", normal(4, 3), normal(3, 5), normal(5)),
        ("silu", x),
        ("modulate", x, normal(2, 6)),
    ):
        nn.check_gradients(getattr(convnet, layer), getattr(convnet, layer + "_backward"), *inputs)


def test_preconditioning_gives_input_and_target_unit_variance():
    """Karras et al. 2022, appendix B.6; and c_skip is the regression of x0 on x, so no other has a smaller c_out."""
    rng, sigma_data = np.random.default_rng(0), 0.7
    x0, noise = sigma_data * rng.standard_normal(200_000), rng.standard_normal(200_000)
    for alpha, sigma in ((0.99, 0.1), (0.6, 0.8), (0.1, 0.99), (1.0, 30.0)):
        x = alpha * x0 + sigma * noise
        c_skip, c_out, c_in, c_noise = convnet.preconditioning(np.array(alpha), np.array(sigma), sigma_data)
        assert np.mean((c_in * x) ** 2) == pytest.approx(1, abs=0.01)
        assert np.mean(((x0 - c_skip * x) / c_out) ** 2) == pytest.approx(1, abs=0.01)
        assert np.mean((x0 - c_skip * x) * x) == pytest.approx(0, abs=0.01 * sigma)
        assert c_noise == pytest.approx(math.log(sigma / alpha))


def test_preconditioning_at_its_limits():
    """Without noise x0_hat = x, without signal x0_hat = sigma_data * F; c_noise ends at +-LARGEST."""
    c_skip, c_out, c_in, c_noise = convnet.preconditioning(np.array([1.0, 0.0]), np.array([0.0, 1.0]), 0.5)
    np.testing.assert_allclose((c_skip, c_out, c_in), [(1, 0), (0, 0.5), (2, 1)], atol=1e-15)
    np.testing.assert_allclose(c_noise, [-convnet.LARGEST, convnet.LARGEST])


def test_fresh_network_has_loss_one_and_answers_linearly():
    net = convnet.init(np.random.default_rng(0), channels=4, sigma_data=0.8)
    x0, levels = 0.8 * normal(64, 8, 8, 1).astype(np.float32), SCHEDULE((np.arange(64) + 0.5) / 64)
    assert convnet.denoising_loss(net, x0, *levels, normal(*x0.shape, seed=1))[0] == pytest.approx(1, abs=0.05)
    np.testing.assert_allclose(net(x0, 0.6, 0.8), 0.6 * 0.64 / (0.36 * 0.64 + 0.64) * x0, rtol=1e-5)


def test_adam_is_the_published_algorithm():
    """Two steps by hand: with bias correction the first is the gradient's sign, however small the gradient."""
    params, m, v = {"w": np.array([1.0, 2.0])}, {"w": np.zeros(2)}, {"w": np.zeros(2)}
    first, second = np.array([0.5, -2e-3]), np.array([0.1, 4e-3])
    params, m, v = convnet.adam(params, {"w": first}, m, v, 1, 0.1)
    np.testing.assert_allclose(params["w"], [0.9, 2.1], atol=1e-6)
    params, m, v = convnet.adam(params, {"w": second}, m, v, 2, 0.1)
    mean = (0.09 * first + 0.1 * second) / (1 - 0.9**2)
    square = (0.0099 * first**2 + 0.01 * second**2) / (1 - 0.99**2)
    np.testing.assert_allclose(params["w"], np.array([0.9, 2.1]) - 0.1 * mean / np.sqrt(square), atol=1e-6)


def test_ema_is_the_moving_average_of_the_weights():
    states = trained(convnet.init(np.random.default_rng(0), channels=4), DATA, 4, batch=2)
    mean = convnet.init(np.random.default_rng(0), channels=4).params["in.w"]
    for step, state in enumerate(states):
        keep = min(0.999, (1 + step) / (10 + step))
        mean = keep * mean + (1 - keep) * state.net.params["in.w"]
        np.testing.assert_allclose(state.ema.params["in.w"], mean, rtol=1e-5, atol=1e-7)


def test_training_lowers_the_loss_repeats_itself_and_writes_to_nothing():
    rng = np.random.default_rng(0)
    net, data = convnet.init(rng, channels=8), ed.data.shapes.hands(20, size=14, rng=rng)
    before, weights = data.copy(), {k: p.copy() for k, p in net.params.items()}
    states, again = trained(net, data, 160), trained(net, data, 160)
    losses = [state.loss for state in states]
    assert np.mean(losses[-20:]) < 0.6 * np.mean(losses[:20])
    steps = [np.abs(states[i + 1].net.params["in.w"] - states[i].net.params["in.w"]).max() for i in (0, 50, 158)]
    assert steps[0] < 0.1 * steps[1] and steps[2] < 1e-3 * steps[1]  # warmup and cosine
    np.testing.assert_array_equal(data, before)
    for name, value in states[-1].ema.params.items():
        np.testing.assert_array_equal(value, again[-1].ema.params[name])
        np.testing.assert_array_equal(net.params[name], weights[name])
        assert value.dtype == np.float32 and not np.array_equal(states[-1].net.params[name], weights[name])
    assert trained(net, data, 1, seed=2)[0].loss != losses[0]
    assert trained(net, data.astype(np.float64), 1)[0].net.params["in.w"].dtype == np.float32


@pytest.mark.parametrize("name", ("sigma_data", "rate"))
def test_a_number_of_numpys_among_the_settings_makes_no_weight_longer(name):
    told, settings = {name: np.float64(0.1)}, {}
    if name == "rate":
        told, settings = {}, told
    net = convnet.init(np.random.default_rng(0), channels=2, **told)
    [state] = trained(net, DATA, 1, **settings)
    assert {p.dtype for part in (state.net, state.ema) for p in part.params.values()} == {np.dtype("float32")}


def test_an_answer_has_the_shape_and_dtype_of_x():
    for dtype in (np.float32, np.float64):
        x = normal(2, 5, 7, 3).astype(dtype)
        x.flags.writeable = False
        x0_hat = random_net(image_channels=3, dtype=np.float32)(x, 0.6, 0.8)
        assert (x0_hat.shape, x0_hat.dtype) == (x.shape, dtype)
        levels = np.array([0.6, 0.8]), np.array([0.8, 0.6])  # float64, whatever x is
        x0_hat, cache = convnet.forward(random_net(image_channels=3, dtype=dtype), x, *levels)
        assert x0_hat.dtype == cache["c_out"].dtype == dtype


def test_circular_network_is_translation_equivariant_and_zero_padded_is_not():
    x = normal(2, 6, 7, 1)
    for net, equal in ((random_net(padding="circular"), True), (random_net(padding="zero"), False)):
        moved = net(np.roll(x, (2, 3), axis=(1, 2)), 0.6, 0.8)
        assert np.allclose(moved, np.roll(net(x, 0.6, 0.8), (2, 3), axis=(1, 2)), atol=1e-12) == equal


@pytest.mark.parametrize("depth", (0, 2))
def test_receptive_field_is_what_a_moved_pixel_reaches(depth):
    net, x, side = random_net(depth=depth), normal(1, 15, 15, 1), 1 + 2 * (depth + 2)
    moved = x.copy()
    moved[0, 7, 7] += 1
    rows, cols = np.nonzero((net(moved, 0.6, 0.8) != net(x, 0.6, 0.8))[0, ..., 0])
    assert (np.ptp(rows) + 1, np.ptp(cols) + 1) == (side, side)
    assert f"receptive_field={side})" in repr(net)


def test_repr_says_what_it_is_and_prints_no_arrays():
    net = convnet.init(np.random.default_rng(0))
    assert repr(net) == "ConvNet(channels=16, depth=2, padding='zero', parameters=10,337, receptive_field=9)"
    [state] = trained(net, DATA, 1)
    assert repr(state) == f"State(step=1, loss={state.loss})"


def test_wrong_input_is_named():
    net, x, rng = random_net(), normal(2, 5, 5, 1), np.random.default_rng(0)
    for error, message, call in (
        (ValueError, r"\(2, 5, 5, 3\), expected images \(B, H, W, 1\)", lambda: net(normal(2, 5, 5, 3), 0.6, 0.8)),
        (ValueError, "NaN", lambda: net(x * np.nan, 0.6, 0.8)),
        (TypeError, "expected", lambda: net(x.astype(int), 0.6, 0.8)),
        (TypeError, "two numbers", lambda: net(x, np.array([0.6, 0.7]), 0.8)),
        (ValueError, "'wrap', expected one of 'zero', 'circular'", lambda: convnet.init(rng, padding="wrap")),
        (TypeError, "expected a generator", lambda: convnet.init(0)),
        (TypeError, "expected a generator", lambda: next(convnet.train(net, x, SCHEDULE, rng=0))),
        (ValueError, "expected images", lambda: next(convnet.train(net, np.zeros((2, 5, 5, 3)), SCHEDULE, rng=rng))),
    ):
        with pytest.raises(error, match=message):
            call()


def test_training_and_answers_on_the_device_are_those_on_the_host(any_cupy):
    net = random_net(dtype=np.float32)
    [*_, host] = trained(net, DATA, 3, batch=4)
    [*_, there] = trained(net, any_cupy.asarray(DATA), 3, batch=4)
    x = forward.add_noise(DATA[:2], 0.6, 0.8, normal(2, 6, 6, 1))
    answer = there.ema(any_cupy.asarray(x), 0.6, 0.8)
    assert type(answer) is any_cupy.ndarray and answer.dtype == np.float32
    np.testing.assert_allclose(answer.get(), host.ema(x, 0.6, 0.8), atol=1e-4)
