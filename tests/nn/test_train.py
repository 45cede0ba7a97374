"""Training: the loss and its gradient, determinism, resuming, and what happens when it goes wrong."""

import importlib
import itertools
from collections import deque

import numpy as np
import pytest

import edudiff as ed
from edudiff import nn
from edudiff.nn import training
from edudiff.nn.adam import clip, gradient_norm, update_ema
from edudiff.nn.loss import augment, denoising_loss, random_times
from edudiff.nn.noise_level import loss_weight
from edudiff.nn.unet import UNetConfig
from edudiff.support.random import streams

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
    for weighting in ("edm", "eps", "x0"):

        def loss(s, weighting=weighting):
            moved = net.with_parameters({name: value + s * direction[name] for name, value in net.parameters.items()})
            return denoising_loss(moved, IMAGES.astype(np.float64), SCHEDULE, np.random.default_rng(5), 20, weighting)

        _, gradients = loss(0.0)
        slope = sum(np.sum(gradients[name] * direction[name]) for name in gradients)
        measured = (loss(1e-5)[0] - loss(-1e-5)[0]) / 2e-5
        assert measured == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize("weighting", ("edm", "eps", "x0"))
def test_loss_is_the_weighted_mean_squared_error(weighting):
    net, seen = small(dtype=np.float64), []

    def spy(x, alpha, sigma):
        out, cache = nn.ResNet.trusting(net, x, alpha, sigma)
        seen.append((x, alpha, sigma, out))
        return out, cache

    net.trusting = spy
    loss, _ = denoising_loss(net, IMAGES[:1].astype(np.float64), SCHEDULE, np.random.default_rng(2), 20, weighting)
    _, alpha, sigma, x0_hat = (np.concatenate(parts) for parts in zip(*seen, strict=True))
    weight = loss_weight(alpha, sigma, weighting, net.config.sigma_data)
    assert len(x0_hat) == 20
    assert loss == pytest.approx(np.mean(weight[:, None, None, None] * (x0_hat - IMAGES[:1]) ** 2), rel=1e-9)


def test_training_a_single_image_learns_to_return_it():
    """P4 for the network: with one training image the best answer is that image, whatever x and the noise level."""
    image = IMAGES[:1] * 0 + np.linspace(-1, 1, 4, dtype=np.float32)[:, None]
    net = nn.ResNet(16, 1, rng=np.random.default_rng(0))
    state = last(nn.train(net, image, SCHEDULE, np.random.default_rng(0), 300, batch=16, rate=5e-3))
    assert np.mean(state.losses[-20:]) < 0.05 * np.mean(state.losses[:20])
    x = ed.reverse.start(SCHEDULE, (3, 5, 4, 1), streams(0, 3), like=image)
    drawn = ed.reverse.sample(state.ema, SCHEDULE, x, SCHEDULE.times(10))
    assert np.abs(drawn - image).max() < 0.25


def test_training_is_deterministic_by_seed():
    runs = [last(nn.train(small(), IMAGES, SCHEDULE, np.random.default_rng(3), 5, batch=9)) for _ in range(2)]
    other = last(nn.train(small(), IMAGES, SCHEDULE, np.random.default_rng(4), 5, batch=9))
    assert runs[0].losses == runs[1].losses
    assert runs[0].losses != other.losses
    for name, value in runs[0].ema.parameters.items():
        np.testing.assert_array_equal(value, runs[1].ema.parameters[name])


def test_result_does_not_depend_on_the_number_of_threads(monkeypatch):
    module = importlib.import_module("edudiff.nn.loss")

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
    for one, other in ((resumed.net, whole.net), (resumed.ema, whole.ema)):
        for name, value in one.parameters.items():
            np.testing.assert_array_equal(value, other.parameters[name])
            assert value.dtype == other.parameters[name].dtype


def test_resuming_with_other_settings_is_refused():
    state = last(itertools.islice(nn.train(small(), IMAGES, SCHEDULE, np.random.default_rng(3), 6, batch=9), 1))
    with pytest.raises(ValueError, match=r"other settings \(batch: 9 -> 10\)"):
        nn.train(state.net, IMAGES, SCHEDULE, None, 6, batch=10, state=state)


def test_more_steps_go_on_along_the_course_of_the_longer_run():
    """After the first plan's last step too; a run that was planned longer has the same rates from there on."""
    how = {"batch": 9, "warmup": 2, "rate": 1e-3}
    state = last(nn.train(small(), IMAGES, SCHEDULE, np.random.default_rng(3), 4, **how))
    drawn = np.random.default_rng(3)
    longer = last(nn.train(small(), IMAGES, SCHEDULE, drawn, 10, **how))
    first = list(state.rates)
    state = last(nn.train(state.net, IMAGES, SCHEDULE, steps=10, state=state))
    assert state.step == len(state.losses) == len(state.rates) == 10
    assert state.rates == first + longer.rates[4:]
    assert state.rates[3] < state.rates[4]  # the cosine that had come down rises again
    assert state.rng.random() == drawn.random()  # it has drawn what the longer run drew
    assert state.settings == longer.settings


def test_going_on_needs_no_setting_twice():
    how = {**EVERYTHING, "batch": [9, 4]}
    whole = last(nn.train(classes(), IMAGES, SCHEDULE, np.random.default_rng(3), 6, **how))
    state = last(itertools.islice(nn.train(classes(), IMAGES, SCHEDULE, np.random.default_rng(3), 6, **how), 2))
    state = last(nn.train(state.net, IMAGES, SCHEDULE, labels=how["labels"], state=state))
    assert (state.losses, state.settings) == (whole.losses, whole.settings)


def test_fewer_steps_than_are_done_are_refused():
    state = last(itertools.islice(nn.train(small(), IMAGES, SCHEDULE, np.random.default_rng(3), 6, batch=9), 3))
    with pytest.raises(ValueError, match="steps is 2, but the saved run has done 3 already"):
        nn.train(state.net, IMAGES, SCHEDULE, steps=2, state=state)
    assert last(nn.train(state.net, IMAGES, SCHEDULE, steps=4, state=state)).step == 4  # fewer than planned, though


ALMOST_CLEAN = ed.schedule.Schedule("almost clean", *(lambda t, v=v: np.full_like(t, v) for v in (1.0, 1e-3)))
EVERYTHING = {
    "batch": (9, 4),
    "rate": 1e-2,
    "decay": 0.99,
    "weight_decay": 0.1,
    "clip_norm": 0.5,
    "labels": np.array([0, 1, 2, 0, 1, 2]),
    "drop_label": 0.4,
    "shift": 1,
    "flip": True,
    "times": "logit_normal",
    "weighting": "min_snr",
    "warmup": 2,
}


def classes(seed=0):
    """A network with all that is random in training."""
    return nn.UNet((4, 4), 1, classes=3, dropout=0.3, attention=(1,), rng=np.random.default_rng(seed))


@pytest.mark.parametrize("stop", (1, 4))
def test_resumed_run_with_classes_dropout_and_augmentation_equals_an_uninterrupted_one_bit_for_bit(tmp_path, stop):
    whole = last(nn.train(classes(), IMAGES, SCHEDULE, np.random.default_rng(3), 6, **EVERYTHING))
    begun = nn.train(classes(), IMAGES, SCHEDULE, np.random.default_rng(3), 6, **EVERYTHING)
    nn.checkpoint.save(tmp_path / "c.npz", last(itertools.islice(begun, stop)))
    state = nn.checkpoint.load(tmp_path / "c.npz")
    resumed = last(nn.train(state.net, IMAGES, SCHEDULE, None, 6, state=state, **EVERYTHING))
    assert (resumed.losses, resumed.norms, resumed.rates) == (whole.losses, whole.norms, whole.rates)
    for one, other in ((resumed.net, whole.net), (resumed.ema, whole.ema)):
        for name, value in one.parameters.items():
            np.testing.assert_array_equal(value, other.parameters[name])


def test_run_saved_before_a_setting_existed_goes_on_as_it_was():
    state = last(itertools.islice(nn.train(small(), IMAGES, SCHEDULE, np.random.default_rng(3), 6, batch=9), 1))
    older = nn.checkpoint.OLDER
    state.settings = {**older, **{name: value for name, value in state.settings.items() if name not in older}}
    assert last(nn.train(state.net, IMAGES, SCHEDULE, None, 6, batch=9, state=state)).step == 6


def test_dropout_does_not_depend_on_the_threads_parts(monkeypatch):
    module = importlib.import_module("edudiff.nn.loss")
    results = []
    for part in (3, 8):
        monkeypatch.setattr(module, "PART", part)
        labels = EVERYTHING["labels"]
        loss, gradients = denoising_loss(classes(), IMAGES, SCHEDULE, np.random.default_rng(1), 8, "edm", labels)
        results.append((loss, gradients["out.w"]))
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-6)
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-4, atol=1e-6)


def test_every_image_comes_with_its_own_label_and_maybe_shifted():
    net, seen = classes(), []

    def spy(x, alpha, sigma, labels, rng):
        seen.extend(zip(x, alpha, labels, strict=True))
        return nn.UNet.trusting(net, x, alpha, sigma, labels, rng)

    net.trusting = spy
    images = np.arange(-1, 1, 1 / 3, dtype=np.float32)[:, None, None, None] * np.ones((6, 5, 4, 1), np.float32)
    for shift in (0, 2):
        labels = np.arange(6) % 3
        denoising_loss(net, images, ALMOST_CLEAN, np.random.default_rng(1), 30, "x0", labels, shift=shift)
        for x, alpha, label in seen:
            number = round(float((x.mean() / alpha + 1) * 3))
            assert labels[number] == label
    ramps = images * np.arange(4, dtype=np.float32)[:, None]
    seen.clear()
    denoising_loss(net, ramps, ALMOST_CLEAN, np.random.default_rng(1), 30, "x0", labels, shift=1, flip=True)
    starts = {tuple(np.round(np.abs(np.diff(x[0, :, 0] / alpha)) > 0.1)) for x, alpha, _ in seen}
    assert len(starts) > 2  # a shifted ramp has a level step at one of its ends


def test_labels_are_hidden_as_often_as_asked():
    net, seen = classes(), []

    def spy(x, alpha, sigma, labels, rng):
        seen.extend(labels)
        return nn.UNet.trusting(net, x, alpha, sigma, labels, rng)

    net.trusting = spy
    labels = EVERYTHING["labels"]
    denoising_loss(net, IMAGES, SCHEDULE, np.random.default_rng(1), 400, "edm", labels, drop_label=0.25)
    hidden = np.mean(np.array(seen) == 3)
    assert hidden == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / 400))
    assert {0, 1, 2} <= set(seen)


def test_each_class_learns_its_own_image():
    """P4 with classes: one image a class, so the best answer given the class is that image."""
    ramp = np.linspace(-1, 1, 5, dtype=np.float32)[:, None] * np.ones(4, np.float32)
    images = np.stack([ramp, -ramp])[..., None]
    net = nn.ResNet(8, 1, classes=2, rng=np.random.default_rng(0))
    how = {"batch": 16, "rate": 1e-2, "labels": np.arange(2)}
    net = last(nn.train(net, images, SCHEDULE, np.random.default_rng(0), 200, **how)).ema
    x = np.random.default_rng(5).standard_normal((6, 5, 4, 1)).astype(np.float32)
    for label in (0, 1):
        assert np.abs(net.conditional(label)(x, 0.1, 0.99) - images[label]).mean() < 0.3
    assert np.abs(net(x, 0.1, 0.99)).mean() < 0.6  # without a class, about the mean of both


def test_shifts_and_mirrors_move_whole_images():
    x0 = np.arange(2 * 4 * 5, dtype=np.float32).reshape(2, 4, 5, 1)
    for circular in (True, False):
        out = augment(np.repeat(x0[:1], 300, axis=0), np.random.default_rng(0), shift=1, flip=True, circular=circular)
        mode = "wrap" if circular else "edge"
        padded = np.pad(x0[0], ((1, 1), (1, 1), (0, 0)), mode=mode)
        possible = [padded[i : i + 4, j : j + 5] for i in range(3) for j in range(3)]
        possible += [image[:, ::-1] for image in possible]
        found = {next(i for i, p in enumerate(possible) if np.array_equal(p, image)) for image in out}
        assert found == set(range(18))
    np.testing.assert_array_equal(augment(x0, np.random.default_rng(0)), x0)


def test_each_shift_is_as_likely_and_half_of_the_images_are_mirrored():
    """Of 8,000 copies of an image without repetition, each way at a false alarm of 1e-4 at most."""
    ramp = np.arange(60.0).reshape(1, 6, 10, 1)
    out = augment(np.repeat(ramp, 8000, 0), np.random.default_rng(0), shift=1, flip=True, circular=True)[..., 0]
    mirrored = (out[:, 0, 2] - out[:, 0, 1]) % 10 == 9  # the ramp runs down
    assert mirrored.mean() == pytest.approx(1 / 2, abs=4 / 2 / np.sqrt(8000))
    row, column = np.divmod(np.where(mirrored, out[:, 0, -1], out[:, 0, 0]), 10)
    ways = list(zip(row.tolist(), column.tolist(), strict=True))
    for way in ((i, j) for i in (5, 0, 1) for j in (9, 0, 1)):
        assert ways.count(way) / 8000 == pytest.approx(1 / 9, abs=4.5 * np.sqrt(8 / 81 / 8000))


def test_augmentation_runs_on_the_device(any_cupy):
    host = augment(IMAGES, np.random.default_rng(0), shift=2, flip=True)
    device = augment(any_cupy.asarray(IMAGES), np.random.default_rng(0), shift=2, flip=True)
    np.testing.assert_array_equal(device.get(), host)


def test_clipped_gradient_has_the_length_asked_for_and_the_same_direction():
    gradients = {"a": np.array([3.0, 0.0]), "b": np.array([[4.0]])}
    assert gradient_norm(gradients) == 5
    clipped = clip(gradients, 5.0, 2.0)
    assert gradient_norm(clipped) == pytest.approx(2)
    np.testing.assert_allclose(clipped["a"] * 2.5, gradients["a"])
    assert clip(gradients, 5.0, 6.0) is gradients


def test_batches_are_taken_in_turn():
    sizes = []
    net = small()

    def spy(x, alpha, sigma):
        sizes.append(len(x))
        return nn.ResNet.trusting(net, x, alpha, sigma)

    states = nn.train(net, IMAGES, SCHEDULE, np.random.default_rng(0), 4, batch=[3, 8])
    net.trusting = spy
    last(states)
    assert sizes == [3, 8, 3, 8]


def test_exponential_decay_is_that_of_the_paper():
    """Kamb & Ganguli 2024: the rate times 0.999965 a step, about half in 20,000 steps."""
    assert nn.learning_rate(10, 10**6, 1.0, 10, 0.999965) == 1
    assert nn.learning_rate(20_010, 10**6, 1.0, 10, 0.999965) == pytest.approx(0.999965**20_000)
    assert nn.learning_rate(5, 10**6, 1.0, 10, 0.999965) == pytest.approx(0.6)


def test_settings_reach_the_optimizer():
    """The rates, the shortened gradient and the decay that Adam gets are those asked for."""
    how = {"batch": 4, "warmup": 2, "decay": 0.9, "clip_norm": 1e-3, "weight_decay": 0.2}
    states, seen = nn.train(small(), IMAGES, SCHEDULE, np.random.default_rng(0), 5, **how), []
    state = next(states)
    step = state.adam.step

    def spy(parameters, gradients, rate):
        seen.append((gradient_norm(gradients), rate))
        step(parameters, gradients, rate)

    state.adam.step = spy
    last(states)
    norms, rates = zip(*seen, strict=True)
    np.testing.assert_allclose(norms, 1e-3, rtol=1e-4)
    assert list(rates) == state.rates[1:]
    assert state.rates == pytest.approx([1e-3, 2e-3, 2e-3, 1.8e-3, 1.62e-3])
    assert state.adam.weight_decay == 0.2
    assert min(state.norms) > 1e-3  # the history shows the gradient before it is shortened


def test_history_is_plotted():
    pytest.importorskip("matplotlib")
    state = last(nn.train(small(), IMAGES, SCHEDULE, np.random.default_rng(0), 5, batch=4, warmup=2))
    assert len(state.losses) == len(state.norms) == len(state.rates) == 5
    curves = [axis.lines[0].get_ydata() for axis in ed.plot.history(state).axes]
    for curve, values in zip(curves, (state.losses, state.norms, state.rates), strict=True):
        np.testing.assert_array_equal(curve, values)


def test_diverged_training_names_its_last_checkpoint(tmp_path):
    states = nn.train(small(), IMAGES, SCHEDULE, np.random.default_rng(0), 50, batch=8)
    state = last(itertools.islice(states, 2))
    nn.checkpoint.save(tmp_path / "good.npz", state)
    next(states)
    state.net.parameters["out.b"][:] = np.nan
    with pytest.raises(FloatingPointError, match=r"step 4.*last checkpoint is .*good\.npz, of step 2.*clip_norm"):
        next(states)
    assert nn.checkpoint.load(tmp_path / "good.npz").step == 2


def test_a_gradient_that_is_not_finite_never_reaches_the_weights():
    net = small()
    backward = net.backward
    states = nn.train(net, IMAGES, SCHEDULE, np.random.default_rng(0), 50, batch=8)
    next(states)
    net.backward = lambda dout, cache: {**backward(dout, cache), "in.b": np.full(4, np.inf, np.float32)}
    with pytest.raises(FloatingPointError, match=r"gradient's length is inf at step 2.*no checkpoint was saved"):
        next(states)
    assert all(np.isfinite(value).all() for value in net.parameters.values())


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
    state = last(nn.train(small(), IMAGES, SCHEDULE, np.random.default_rng(0), 3, batch=4, ema_decay=0.0))
    for name, value in state.net.parameters.items():
        np.testing.assert_allclose(state.ema.parameters[name], value, rtol=1e-6, atol=1e-7)


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
    assert nn.learning_rate(10, 10, 1.0, 10) == 1.0  # where nothing is left to fall


@pytest.mark.parametrize(
    ("settings", "message"),
    (
        ({"steps": 0}, "steps is 0"),
        ({"batch": 0}, "batch is 0"),
        ({"rate": -1.0}, "rate is -1.0"),
        ({"weighting": "beta"}, "weighting is 'beta'"),
        ({"rng": None}, "pass rng"),
        ({"decay": "step"}, "decay is 'step'"),
        ({"batch": (4, 0)}, "a value of batch is 0"),
        ({"weight_decay": -1.0}, "weight_decay is -1.0"),
        ({"clip_norm": 0.0}, "clip_norm is 0.0"),
        ({"shift": -1}, "shift is -1"),
        ({"times": "cosine"}, "times is 'cosine', expected one of 'uniform', 'logit_normal'"),
        ({"drop_label": 1.0}, "drop_label is 1.0"),
        ({"ema_decay": 1.0}, "ema_decay is 1.0"),
        ({"labels": np.zeros(6, int)}, "labels but no classes"),
    ),
)
def test_bad_settings_fail_before_the_first_step(settings, message):
    with pytest.raises(ValueError, match=message):
        nn.train(small(), IMAGES, SCHEDULE, **{"rng": np.random.default_rng(0), **settings})


@pytest.mark.parametrize(
    ("labels", "message"),
    (
        (None, "classes but no labels"),
        (np.zeros(5, int), r"shape \(5,\) and dtype int64, expected \(6,\) integers"),
        (np.zeros(6), "dtype float64"),
        (np.full(6, 3), "labels lie in 3 to 3, expected 0 to 2"),
    ),
)
def test_bad_labels_fail_before_the_first_step(labels, message):
    with pytest.raises(ValueError, match=message):
        nn.train(classes(), IMAGES, SCHEDULE, np.random.default_rng(0), labels=labels)


def test_points_are_not_shifted_or_mirrored():
    with pytest.raises(ValueError, match="for images"):
        nn.train(nn.Linear(20), IMAGES.reshape(6, 20), SCHEDULE, np.random.default_rng(0), flip=True)


def test_bad_images_fail_before_the_first_step():
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
    assert device.norms == pytest.approx(host.norms, rel=1e-4)
    pairs = (lambda s: s.net.parameters), (lambda s: s.ema.parameters), (lambda s: s.adam.m), (lambda s: s.adam.v)
    for part in pairs:
        for name, value in part(host).items():
            np.testing.assert_allclose(part(device)[name].get(), value, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("more", [{}, {"clip_norm": 0.5}, EVERYTHING])
def test_the_host_waits_for_the_device_once_in_many_steps(standin_cupy, monkeypatch, more):
    """For the losses and the lengths of the gradients of them all: a check of values would make it wait in between."""
    images, left = standin_cupy.asarray(IMAGES), []
    make = classes if more is EVERYTHING else small
    monkeypatch.setattr(training, "FETCH", 4)
    walk = nn.train(make().to(images), images, SCHEDULE, np.random.default_rng(3), 10, **{"batch": 8, **more})
    for name in ("get", "__bool__", "__float__", "__int__", "__complex__", "item", "tolist"):
        leave = getattr(standin_cupy.ndarray, name, None)
        if leave is not None:
            monkeypatch.setattr(
                standin_cupy.ndarray, name, lambda self, leave=leave, name=name: left.append(name) or leave(self)
            )
    counts = []
    for state in walk:
        assert "State(step=" in repr(state)
        counts.append(len(left))
    assert counts == [0, 0, 0, 1, 1, 1, 1, 2, 2, 3]
    assert left == ["get"] * 3
    assert len(state.losses) == len(state.norms) == len(state.rates) == 10
    assert len(left) == 3  # all are there


@pytest.mark.parametrize("clip_norm", (None, 0.5))
def test_losses_of_the_device_can_be_read_at_any_step(standin_cupy, monkeypatch, clip_norm):
    monkeypatch.setattr(training, "FETCH", 4)
    images, how = standin_cupy.asarray(IMAGES), {"batch": 8, "clip_norm": clip_norm}
    host = last(nn.train(small(), IMAGES, SCHEDULE, np.random.default_rng(3), 7, **how))
    assert max(host.norms) > 0.5  # some are shortened
    for state in nn.train(small().to(images), images, SCHEDULE, np.random.default_rng(3), 7, **how):
        if state.step in (2, 3, 6):
            assert state.loss == state.losses[-1] == pytest.approx(host.losses[state.step - 1], rel=1e-4)
            assert len(state.losses) == len(state.norms) == state.step
    assert state.losses == pytest.approx(host.losses, rel=1e-4)
    assert state.norms == pytest.approx(host.norms, rel=1e-4)
    assert state.rates == host.rates
    for name, value in host.net.parameters.items():
        np.testing.assert_allclose(state.net.parameters[name].get(), value, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("look", (None, 5, "save"))
def test_training_that_diverged_on_the_device_goes_on_from_where_it_was_looked_at(
    standin_cupy, monkeypatch, tmp_path, look
):
    """The error tells at which step; the state is that of an earlier one, bit for bit, and no checkpoint is broken."""
    monkeypatch.setattr(training, "FETCH", 4)
    images = standin_cupy.asarray(IMAGES)
    whole = last(nn.train(small().to(images), images, SCHEDULE, np.random.default_rng(3), 20, batch=8))
    net = small().to(images)
    states, backward = nn.train(net, images, SCHEDULE, np.random.default_rng(3), 20, batch=8), net.backward
    state = last(itertools.islice(states, 5))
    nn.checkpoint.save(tmp_path / "good.npz", state) if look == "save" else look and state.loss
    kept = 4 if look is None else 5
    next(states)
    broken = np.full(4, np.inf, np.float32)
    net.backward = lambda dout, cache: {**backward(dout, cache), "in.b": standin_cupy.asarray(broken)}
    with np.errstate(invalid="ignore"):
        next(states)  # step 7
    net.backward = backward
    saved = "of step 5" if look == "save" else "no checkpoint was saved"
    with pytest.raises(FloatingPointError, match=f"length is inf at step 7:.* again those of step {kept},.*{saved}"):
        nn.checkpoint.save(tmp_path / "good.npz", state) if look == "save" else last(states)
    assert state.step == len(state.losses) == len(state.norms) == len(state.rates) == state.adam.count == kept
    if look == "save":
        assert nn.checkpoint.load(tmp_path / "good.npz").step == 5
    again = last(nn.train(net, images, SCHEDULE, steps=20, state=state))
    assert (again.losses, again.norms, again.rates) == (whole.losses, whole.norms, whole.rates)
    for name, value in whole.ema.parameters.items():
        np.testing.assert_array_equal(again.ema.parameters[name].get(), value.get())


def test_a_state_moves_with_all_its_arrays(any_cupy):
    host = last(nn.train(small(), IMAGES, SCHEDULE, np.random.default_rng(3), 2, batch=8))
    there = host.to(any_cupy.zeros(1))
    back = there.to(np.zeros(1))
    for groups in zip(
        *([s.net.parameters, s.ema.parameters, s.adam.m, s.adam.v] for s in (host, there, back)), strict=True
    ):
        for name in groups[0]:
            one, moved, again = (group[name] for group in groups)
            assert type(moved) is any_cupy.ndarray
            np.testing.assert_array_equal(one, again)


def test_another_schedule_or_network_does_not_go_on():
    images = np.zeros((4, 5, 5, 1), np.float32)
    net = nn.ResNet(2, 0)
    state = next(nn.train(net, images, ed.schedule.cosine(), np.random.default_rng(0), 3, batch=2))
    with pytest.raises(ValueError, match=r"schedule: 'cosine' -> 'cosine\(2\.0\)'"):
        nn.train(net, images, ed.schedule.cosine(2.0), None, 3, batch=2, state=state)
    with pytest.raises(ValueError, match="another network than the saved state's"):
        nn.train(nn.ResNet(3, 0), images, ed.schedule.cosine(), None, 3, batch=2, state=state)


def test_unknown_weighting_and_empty_batches():
    with pytest.raises(ValueError, match="weighting is 'bogus'"):
        loss_weight(np.full(1, 0.5), np.full(1, 0.5), "bogus", 0.5)
    with pytest.raises(ValueError, match="batch is an empty list"):
        nn.train(nn.ResNet(2, 0), np.zeros((4, 5, 5, 1)), ed.schedule.cosine(), np.random.default_rng(0), batch=[])


def test_the_loss_does_not_depend_on_the_parts_that_it_is_added_up_from(monkeypatch):
    """Mean and gradients over 13 images, in parts of 1, 5, 8 and all: the same sums."""
    found = []
    for part in (1, 5, 8, 100):
        monkeypatch.setattr(importlib.import_module("edudiff.nn.loss"), "PART", part)
        net = small(dtype=np.float64)
        images = IMAGES.astype(np.float64)
        found.append(denoising_loss(net, images, SCHEDULE, np.random.default_rng(3), 13, "edm"))
    for loss, gradients in found[1:]:
        assert loss == pytest.approx(found[0][0], rel=1e-12)
        for name, gradient in gradients.items():
            np.testing.assert_allclose(gradient, found[0][1][name], atol=1e-12)


def test_young_averages_forget_as_the_paper_of_tensorflow_says():
    """After step n the average keeps min(decay, (1 + n) / (10 + n)) of itself: 0.1 at first, 0.5 at n = 8."""
    for step, kept in ((0, 0.1), (8, 0.5), (998, 0.99), (10**6, 0.99)):
        ema = {"w": np.array([1.0])}
        update_ema(ema, {"w": np.array([0.0])}, 0.99, step)
        assert ema["w"].item() == pytest.approx(min(kept, (1 + step) / (10 + step), 0.99))


def test_training_may_begin_without_warmup():
    state = last(nn.train(small(), IMAGES, SCHEDULE, np.random.default_rng(0), 2, batch=4, warmup=0))
    assert state.step == 2 and len(state.losses) == len(state.norms) == 2
    assert 0 < state.seconds < 60


@pytest.mark.parametrize("labels", (np.zeros((4, 1), int), np.zeros((4, 4), int), [[0]]))
def test_a_label_for_each_item_is_a_row_of_labels(labels):
    net = small(classes=3)
    with pytest.raises(ValueError, match="label has shape"):
        net.conditional(np.asarray(labels))


def test_published_defaults_are_the_defaults():
    """What a docstring or a paper names is what one gets without asking."""
    assert UNetConfig().channels == (64, 128, 256)  # Kamb & Ganguli 2024
    adam = nn.Adam({})
    assert (adam.beta1, adam.epsilon, adam.weight_decay) == (0.9, 1e-8, 0.0)  # Kingma & Ba 2015
    assert nn.learning_rate(0, 10, 1.0, 0) == 1.0 and nn.learning_rate(10, 10, 1.0, 0) == pytest.approx(0)


@pytest.mark.parametrize("shift", (4, 10**9))
def test_images_are_not_shifted_out_of_sight(shift):
    with pytest.raises(ValueError, match=f"shift is {shift}, expected less than the sides of images of"):
        nn.train(nn.ResNet(4, 1), IMAGES, ed.schedule.cosine(), np.random.default_rng(0), 1, shift=shift)


@pytest.mark.parametrize("batch", (10**7, [2, 10**7]))
def test_a_batch_that_no_memory_holds_is_refused_before_anything_is_drawn(batch, monkeypatch):
    monkeypatch.setattr("edudiff.support.memory.room", lambda: 2**29)
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"batch is 10,000,000: that alone needs"):
        nn.train(nn.ResNet(4, 1), IMAGES, ed.schedule.cosine(), rng, 1, batch=batch)
    assert rng.random() == np.random.default_rng(0).random()


@pytest.mark.parametrize("number", [0.0, 1 - 2**-53])
def test_the_outermost_random_numbers_have_times_too(number):
    """Those at which a share is 0, or rounds to 1."""

    class Stream:
        random = staticmethod(lambda count: np.full(count, number))

    for law in ("uniform", "logit_normal"):
        times = random_times(4000, Stream(), law)
        assert ((times >= 0) & (times <= 1)).all() and (np.diff(times) > 0).all()


@pytest.mark.parametrize("shape", [(3, 8), (8, 3)])
def test_a_shift_is_smaller_than_either_side(shape):
    images = np.zeros((4, *shape, 1), np.float32)
    with pytest.raises(ValueError, match="shift"):
        nn.train(small(), images, SCHEDULE, np.random.default_rng(0), 1, shift=3)
    last(nn.train(small(), images, SCHEDULE, np.random.default_rng(0), 1, shift=2, batch=2))


def test_logit_normal_times_are_stratified_and_have_their_law():
    """One in each slice of the normal law: the quantiles are sigmoids of its own, few times lie at the ends."""
    times = random_times(4000, np.random.default_rng(0), "logit_normal")
    assert (np.diff(times) > 0).all() and times[0] > 0 and times[-1] < 1
    quantiles = 1 / (1 + np.exp(-np.array([-1.0, 0.0, 0.6744897501960817])))
    np.testing.assert_allclose(np.quantile(times, [0.15865525393145707, 0.5, 0.75]), quantiles, atol=1e-3)
    uniform = random_times(4000, np.random.default_rng(0))
    assert ((np.arange(4000) / 4000 <= uniform) & (uniform <= np.arange(1, 4001) / 4000)).all()
    assert ((times > 0.25) & (times < 0.75)).mean() > 0.7


def test_training_takes_its_times_from_the_law_that_it_is_told(monkeypatch):
    told = []
    monkeypatch.setattr(
        "edudiff.nn.loss.random_times", lambda count, rng, law: told.append(law) or random_times(count, rng, law)
    )
    for law in ("uniform", "logit_normal"):
        last(nn.train(small(), IMAGES, SCHEDULE, np.random.default_rng(0), 1, batch=4, times=law))
    assert told == ["uniform", "logit_normal"]
