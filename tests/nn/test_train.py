"""Training: the loss and its gradient, determinism, resuming, and what happens when it goes wrong."""

import importlib
import itertools
from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import edudiff as ed
from edudiff import nn
from edudiff.nn.train import denoising_loss, loss_weight

SCHEDULE = ed.schedule.cosine()
IMAGES = np.random.default_rng(0).uniform(-1, 1, (6, 5, 4, 1)).astype(np.float32)


def small(**settings):
    return nn.ResNet(4, 1, rng=np.random.default_rng(0), **settings)


def last(states):
    return deque(states, maxlen=1).pop()


def test_gradient_of_the_loss_along_a_random_direction():
    net = small(dtype=np.float64)
    rng = np.random.default_rng(1)
    direction = {name: rng.standard_normal(value.shape) for name, value in net.parameters.items()}
    for weighting in ("karras", "noise", "x0"):

        def loss(s, weighting=weighting):
            moved = net.with_parameters({name: value + s * direction[name] for name, value in net.parameters.items()})
            return denoising_loss(moved, IMAGES.astype(np.float64), SCHEDULE, np.random.default_rng(5), 20, weighting)

        _, gradients = loss(0.0)
        slope = sum(np.sum(gradients[name] * direction[name]) for name in gradients)
        measured = (loss(1e-5)[0] - loss(-1e-5)[0]) / 2e-5
        assert measured == pytest.approx(slope, rel=1e-6)


@given(t=st.floats(0.01, 1.0), rms=st.floats(0.1, 2.0))
def test_weighted_error_is_the_error_of_what_it_is_named_after(t, rms):
    """karras: of the network's own answer; noise: of noise_hat; x0: of x0_hat."""
    alpha, sigma = SCHEDULE(t)
    rng = np.random.default_rng(0)
    x0, x0_hat, noise = rng.standard_normal((3, 50))
    x = alpha * x0 + sigma * noise
    squared = (x0_hat - x0) ** 2
    net = nn.ResNet(4, 1, data_scale=rms, dtype=np.float64)
    skip, out, _ = (float(s[0]) for s in net._scales(np.array([alpha]), np.array([sigma])))
    noise_hat = ed.forward.noise_from_x0(x, x0_hat, alpha, sigma)
    weights = {
        w: float(loss_weight(np.array([alpha]), np.array([sigma]), w, rms)[0]) for w in ("karras", "noise", "x0")
    }
    answer_error = ((x0_hat - skip * x) / out - (x0 - skip * x) / out) ** 2
    np.testing.assert_allclose(weights["karras"] * squared, answer_error, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(weights["noise"] * squared, (noise_hat - noise) ** 2, rtol=1e-6, atol=1e-9)
    assert weights["x0"] == 1


@pytest.mark.parametrize("weighting", ("karras", "noise", "x0"))
def test_loss_is_the_weighted_mean_squared_error(weighting):
    net, seen = small(dtype=np.float64), []

    def spy(x, alpha, sigma):
        out, cache = nn.ResNet.forward(net, x, alpha, sigma)
        seen.append((x, alpha, sigma, out))
        return out, cache

    net.forward = spy
    loss, _ = denoising_loss(net, IMAGES[:1].astype(np.float64), SCHEDULE, np.random.default_rng(2), 20, weighting)
    _, alpha, sigma, x0_hat = (np.concatenate(parts) for parts in zip(*seen, strict=True))
    weight = loss_weight(alpha, sigma, weighting, net.config["data_scale"])
    assert len(x0_hat) == 20
    assert loss == pytest.approx(np.mean(weight[:, None, None, None] * (x0_hat - IMAGES[:1]) ** 2), rel=1e-9)


def test_training_a_single_picture_learns_to_return_it():
    """P4 for the network: with one training picture the best answer is that picture, whatever x and the noise level."""
    image = IMAGES[:1] * 0 + np.linspace(-1, 1, 4, dtype=np.float32)[:, None]
    net = nn.ResNet(16, 1, rng=np.random.default_rng(0))
    state = last(nn.train(net, image, SCHEDULE, np.random.default_rng(0), 300, batch=16, rate=5e-3))
    assert np.mean(state.losses[-20:]) < 0.05 * np.mean(state.losses[:20])
    x = ed.reverse.start(SCHEDULE, (3, 5, 4, 1), ed.forward.streams(0, 3), like=image)
    drawn = ed.reverse.sample(state.average, SCHEDULE, x, SCHEDULE.times(10))
    assert np.abs(drawn - image).max() < 0.25


def test_training_is_deterministic_by_seed():
    runs = [last(nn.train(small(), IMAGES, SCHEDULE, np.random.default_rng(3), 5, batch=9)) for _ in range(2)]
    other = last(nn.train(small(), IMAGES, SCHEDULE, np.random.default_rng(4), 5, batch=9))
    assert runs[0].losses == runs[1].losses
    assert runs[0].losses != other.losses
    for name, value in runs[0].average.parameters.items():
        np.testing.assert_array_equal(value, runs[1].average.parameters[name])


def test_result_does_not_depend_on_the_number_of_threads(monkeypatch):
    module = importlib.import_module("edudiff.nn.train")

    states = []
    for mapper in (module.map_threads, lambda function, parts: [function(p) for p in parts]):
        monkeypatch.setattr(module, "map_threads", mapper)
        states.append(last(nn.train(small(), IMAGES, SCHEDULE, np.random.default_rng(3), 4, batch=20)))
    assert states[0].losses == pytest.approx(states[1].losses, rel=1e-6)


@pytest.mark.parametrize("stop", (1, 3))
def test_resumed_run_equals_an_uninterrupted_one_bit_for_bit(tmp_path, stop):
    whole = last(nn.train(small(), IMAGES, SCHEDULE, np.random.default_rng(3), 6, batch=9))
    begun = nn.train(small(), IMAGES, SCHEDULE, np.random.default_rng(3), 6, batch=9)
    nn.checkpoint.save(tmp_path / "c.npz", last(itertools.islice(begun, stop)))
    state = nn.checkpoint.load(tmp_path / "c.npz")
    assert state.step == stop
    resumed = last(nn.train(state.net, IMAGES, SCHEDULE, None, 6, batch=9, state=state))
    assert resumed.losses == whole.losses
    for one, other in ((resumed.net, whole.net), (resumed.average, whole.average)):
        for name, value in one.parameters.items():
            np.testing.assert_array_equal(value, other.parameters[name])
            assert value.dtype == other.parameters[name].dtype


def test_resuming_with_other_settings_is_refused():
    state = last(itertools.islice(nn.train(small(), IMAGES, SCHEDULE, np.random.default_rng(3), 6, batch=9), 1))
    with pytest.raises(ValueError, match=r"other settings \(batch: 9 -> 10\)"):
        nn.train(state.net, IMAGES, SCHEDULE, None, 6, batch=10, state=state)


def test_diverged_training_stops_with_the_step_and_advice():
    net = small()
    states = nn.train(net, IMAGES, SCHEDULE, np.random.default_rng(0), 50, batch=8)
    for _ in range(3):
        state = next(states)
    net.parameters["block0.w"][:] = np.nan
    with pytest.raises(FloatingPointError, match=r"loss is nan at step 4.*rate below"):
        next(states)
    assert len(state.losses) == 3


def test_average_follows_the_weights_from_the_start():
    state = last(nn.train(small(), IMAGES, SCHEDULE, np.random.default_rng(0), 3, batch=4, average_decay=0.0))
    for name, value in state.net.parameters.items():
        np.testing.assert_allclose(state.average.parameters[name], value, rtol=1e-6, atol=1e-7)


def test_adam_first_step_has_the_size_of_the_rate():
    """Kingma & Ba 2015, section 2.1: with the bias corrected, the first step is rate * sign(gradient)."""
    p = {"w": np.array([1.0, 2.0, 3.0])}
    nn.Adam(p).step(p, {"w": np.array([1e-3, -5.0, 100.0])}, rate=0.1)
    np.testing.assert_allclose(p["w"], [0.9, 2.1, 2.9], atol=1e-5)


def test_learning_rate_rises_straight_and_falls_to_zero():
    rates = [nn.learning_rate(i, 100, 1.0, 10) for i in range(100)]
    np.testing.assert_allclose(rates[:10], np.arange(1, 11) / 10)
    assert rates[10] == 1.0
    assert all(a > b for a, b in itertools.pairwise(rates[10:]))
    assert rates[55] == pytest.approx(0.5)
    assert rates[-1] < 1e-3


@pytest.mark.parametrize(
    ("settings", "message"),
    (
        ({"steps": 0}, "steps is 0"),
        ({"batch": 0}, "batch is 0"),
        ({"rate": -1.0}, "rate is -1.0"),
        ({"weighting": "beta"}, "weighting is 'beta'"),
        ({"rng": None}, "pass rng"),
    ),
)
def test_bad_settings_fail_before_the_first_step(settings, message):
    with pytest.raises(ValueError, match=message):
        nn.train(small(), IMAGES, SCHEDULE, **{"rng": np.random.default_rng(0), **settings})


def test_bad_pictures_fail_before_the_first_step():
    with pytest.raises(TypeError, match="uint8"):
        nn.train(small(), (IMAGES * 100).astype(np.uint8), SCHEDULE, np.random.default_rng(0))
    with pytest.raises(ValueError, match="expected"):
        nn.train(small(), np.repeat(IMAGES, 3, axis=3), SCHEDULE, np.random.default_rng(0))
    with pytest.raises(ValueError, match="empty"):
        nn.train(small(), IMAGES[:0], SCHEDULE, np.random.default_rng(0))


def test_training_on_the_device_equals_training_on_the_host(any_cupy):
    host = last(nn.train(small(), IMAGES, SCHEDULE, np.random.default_rng(3), 3, batch=8))
    images = any_cupy.asarray(IMAGES)
    device = last(nn.train(small().to(images), images, SCHEDULE, np.random.default_rng(3), 3, batch=8))
    assert device.losses == pytest.approx(host.losses, rel=1e-4)
