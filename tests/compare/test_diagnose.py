"""A mistake is named by what undoes it; what is right is passed over in silence."""

from collections import deque

import numpy as np
import pytest

import edudiff as ed
from edudiff import nn
from edudiff.compare import diagnose, diagnosis, mistakes, repairs, symptoms
from edudiff.data import shapes
from edudiff.reverse import sample
from edudiff.support.random import streams

SCHEDULE = ed.schedule.cosine()
IMAGES = shapes.strokes(64, 10, np.random.default_rng(0))  # (N, H, W, C)
UNDONE = [mistake for mistake in repairs.MISTAKES if mistake.cause in mistakes.DENOISERS]


def trained(net, images=IMAGES, steps=250, **settings):
    (state,) = deque(nn.train(net, images, SCHEDULE, np.random.default_rng(1), steps, batch=32, **settings), maxlen=1)
    return state


@pytest.fixture(scope="module")
def resnet():
    return trained(nn.ResNet(channels=16, depth=1, rng=np.random.default_rng(0)))


@pytest.mark.parametrize("name", mistakes.DENOISERS)
def test_a_mistake_in_a_network_or_a_formula_is_named(name, resnet):
    right = [resnet.ema, ed.denoisers.Linear.fit(IMAGES)]
    if name == "input scaled twice":
        del right[1]  # whoever is linear shrinks more, and is nearer than it should be
    for denoise in right:
        found = diagnose(mistakes.DENOISERS[name](denoise), IMAGES, SCHEDULE)
        assert found.causes == [name], f"{denoise}: {found}"


@pytest.mark.parametrize("mistake", UNDONE, ids=lambda mistake: mistake.cause)
def test_a_repair_undoes_its_mistake_exactly(mistake):
    right, x = ed.denoisers.Linear.fit(IMAGES.astype(float)), np.random.default_rng(2).standard_normal((3, 10, 10, 1))
    wrong = mistakes.DENOISERS[mistake.cause](right)
    for alpha, sigma in ((0.9, 0.4), (0.3, 0.8)):
        repaired = mistake.repair(wrong, x, alpha, sigma, mistakes.SIGMA_DATA)
        assert abs(repaired - right(x, alpha, sigma)).max() < 1e-9


@pytest.mark.parametrize("name", mistakes.SCHEDULES)
def test_a_mistake_in_the_schedule_is_named(name):
    schedule = mistakes.SCHEDULES[name]
    assert name in diagnose(ed.denoisers.Ideal(IMAGES), IMAGES, schedule).causes


@pytest.mark.parametrize("name", mistakes.SAMPLERS)
def test_a_mistake_in_the_loop_is_named(name):
    found = diagnose(ed.denoisers.Linear.fit(IMAGES), IMAGES, SCHEDULE, sampler=mistakes.SAMPLERS[name])
    assert found.causes == [name]


@pytest.mark.parametrize("method", ["ddim", "ddpm", "heun", "euler_maruyama"])
def test_a_right_loop_is_passed_over(method):
    def sampler(denoise, schedule, x, times):
        return sample(denoise, schedule, x, times, method, rng=np.random.default_rng(0))

    for schedule in (SCHEDULE, ed.schedule.ddpm_linear(), ed.schedule.flow(), ed.schedule.log_linear()):
        if method == "euler_maruyama" and schedule.name == "flow":
            continue  # alpha(1) = 0: there is no such step
        assert diagnose(ed.denoisers.Ideal(IMAGES), IMAGES, schedule, sampler=sampler).causes == []


@pytest.mark.parametrize("data", [IMAGES[:16], IMAGES[:5], IMAGES[:1], IMAGES[[2, 2]]])
def test_closed_forms_are_passed_over(data):
    right = [ed.denoisers.Ideal(data), ed.denoisers.Linear.fit(data)]
    right += [ed.denoisers.Patch(data, window=k) for k in (1, 3, 5)]
    right += [ed.denoisers.Patch(data, window=3, shifts=False)]
    for denoise in right:
        found = diagnose(denoise, data, SCHEDULE, sampler=sample)
        assert found.causes == [], f"{denoise}: {found}"
        assert str(found).startswith("nothing looks wrong")


def test_trained_networks_are_passed_over(resnet):
    assert diagnose(resnet.ema, IMAGES, SCHEDULE, state=resnet).causes == []
    unet = trained(nn.UNet(channels=(8, 16), depth=1, rng=np.random.default_rng(0)), steps=120)
    assert diagnose(unet.ema, IMAGES, SCHEDULE, state=unet).causes == []


def test_a_network_of_another_range_is_named():
    state = trained(nn.ResNet(channels=16, depth=1, rng=np.random.default_rng(0)), (IMAGES + 1) / 2, steps=120)
    assert diagnose(state.ema, IMAGES, SCHEDULE, state=state).causes == ["images in [0, 1]"]


def test_too_large_a_learning_rate_is_named():
    state = trained(nn.ResNet(channels=16, depth=1, rng=np.random.default_rng(0)), steps=150, rate=0.1, decay=1.0)
    assert "learning rate too large" in diagnose(state.ema, IMAGES, SCHEDULE, state=state).causes


def test_an_average_that_is_never_used_is_named(resnet):
    assert diagnose(resnet.net, IMAGES, SCHEDULE, state=resnet).causes == ["average never used"]


@pytest.mark.parametrize("shape", [(40, 3, 3, 2), (9, 3, 3, 2), (40, 5)])
def test_a_denoiser_is_asked_about_sixteen_images_over_the_whole_training_set(shape):
    """Each with a noise of its own; the error of the simplest denoiser is that of the data's mean color and spread."""
    images = np.random.default_rng(0).uniform(-1, 1, shape) + 0.3
    asked = []

    def denoise(x, alpha, sigma):
        asked.append((x, alpha, sigma))
        return 0.5 * x

    found = diagnose(denoise, images, SCHEDULE, seed=3)
    count = min(16, len(images))
    some = images[[round(i * (len(images) - 1) / (count - 1)) for i in range(count)]]
    spread = (images - images.mean(tuple(range(len(shape) - 1)))).std()
    for i, (alpha, sigma) in enumerate(diagnosis._levels(SCHEDULE)):
        x = symptoms.noisy(some, alpha, sigma, streams(3, range(16 * i, 16 * i + count)))
        assert any(x.shape == y.shape and (x == y).all() and level == [alpha, sigma] for y, *level in asked)
        color = images.mean(tuple(range(len(shape) - 1)))
        simplest = color + alpha * spread**2 / (alpha**2 * spread**2 + sigma**2) * (x - alpha * color)
        assert found.errors["simplest"][i] == pytest.approx(((simplest - some) ** 2).mean())
        assert found.errors["denoise"][i] == pytest.approx(((0.5 * x - some) ** 2).mean())
        assert found.ratios[i] == round(sigma / alpha, 3)
    assert "errors" not in repr(found)
    assert found.errors != diagnose(denoise, images, SCHEDULE).errors
    assert diagnose(denoise, images, SCHEDULE).errors == diagnose(denoise, images, SCHEDULE, seed=0).errors


def test_images_of_one_color_have_the_spread_1():
    images = np.full((4, 2, 2, 1), 0.5)
    found = diagnose(lambda x, alpha, sigma: 0 * x + 0.5, images, SCHEDULE)
    for i, (alpha, sigma) in enumerate(diagnosis._levels(SCHEDULE)):
        x = symptoms.noisy(images, alpha, sigma, streams(0, range(16 * i, 16 * i + 4)))
        away = alpha / (alpha**2 + sigma**2) * (x - 0.5 * alpha)
        assert found.errors["simplest"][i] == pytest.approx((away**2).mean())


def test_a_loop_is_tried_on_four_images():
    shapes = []
    diagnose(
        ed.denoisers.Ideal(IMAGES), IMAGES, SCHEDULE, lambda denoise, schedule, x, times: shapes.append(x.shape) or x
    )
    assert set(shapes) == {(4, 10, 10, 1)}


def test_the_errors_of_a_diagnosis_stand_below_their_levels():
    errors = {"denoise": [0.25, 1.5], "mean of the classes": [0.0001, 123.0]}
    *_, levels, first, second = str(diagnosis.Diagnosis([], [0.15, 12.5], errors)).splitlines()
    assert [line.split()[-2:] for line in (levels, first, second)] == [
        ["0.15", "12.50"],
        ["0.2500", "1.5000"],
        ["0.0001", "123.0000"],
    ]
    for line in (first, second):
        assert [line.index(number) + len(number) for number in line.split()[-2:]] == [
            levels.index(number) + len(number) for number in levels.split()[-2:]
        ]
