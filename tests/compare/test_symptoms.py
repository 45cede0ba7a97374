"""Each symptom at its bound: named just beyond it, passed over just within, and measured where it says."""

import re
from functools import partial
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

import edudiff as ed
from edudiff.compare import diagnosis, mistakes, symptoms
from edudiff.compare.repairs import Mistake
from edudiff.support.random import streams

SHAPE = (4, 3, 3, 1)
X = np.random.default_rng(0).uniform(-1, 1, SHAPE)
ASKED = [(0.9, 0.1, X), (0.9, 0.4, X - 2), (0.8, 0.6, X + 1), (0.6, 0.8, X + 2), (0.3, 0.9, X - 1)]
WITHIN_AND_BEYOND = [(0.9375, False), (1.09375, True)]


def causes(findings):
    return [finding.cause for finding in findings]


def curves(alpha, sigma):
    return ed.schedule.Schedule("a learner's", alpha, sigma)


@pytest.mark.parametrize(
    ("loses", "noise", "named"), [(0.502, 0.498, True), (0.498, 0.498, False), (0.502, 0.502, False), (0.3, 0.9, False)]
)
def test_beta_is_a_schedule_that_takes_half_of_the_signal_and_gives_less_noise(loses, noise, named):
    schedule = curves(lambda t: 1 - loses / 0.98 * (t - 0.01), lambda t: noise / 0.99 * t)  # seen from 0.01 to 0.99
    assert causes(symptoms.of_schedule(schedule)) == named * ["beta for 1 - alpha_bar"]


def test_a_scale_that_stays_the_same_is_no_reversed_time():
    """As the signal's where noise is only added, or the noise's where the signal is only taken away."""
    exploding, fading = curves(np.ones_like, lambda t: 50 * t**2), curves(lambda t: 1 - t, lambda t: 0 * t + 0.75)
    for right in (exploding, fading):
        assert symptoms.of_schedule(right) == []
        back = curves(lambda t, r=right: r.alpha(1 - t), lambda t, r=right: r.sigma(1 - t))
        assert causes(symptoms.of_schedule(back)) == ["time reversed"]


def test_time_is_told_by_the_ends_of_the_curves_and_not_by_a_ripple():
    ripple = lambda t: 0.02 * np.sin(50 * np.pi * t)  # noqa: E731, the highest at t = 0.01
    rising, falling = (lambda t: t + ripple(t)), (lambda t: 1 - t - ripple(t))
    assert symptoms.of_schedule(curves(lambda t: 1 - t + ripple(t), lambda t: t - ripple(t))) == []
    assert symptoms.of_schedule(curves(falling, rising)) == []
    for alpha, sigma in ((rising, lambda t: t), (lambda t: 1 - t, lambda t: 1 - t - ripple(t)), (rising, falling)):
        assert causes(symptoms.of_schedule(curves(alpha, sigma))) == ["time reversed"]


def test_time_is_told_by_the_first_of_the_times_and_not_the_second():
    high, low = (lambda t: np.where(t < 0.015, 0.9, np.where(t < 0.5, 0.2, 0.4))), (lambda t: 1 - high(t))
    assert symptoms.of_schedule(curves(high, lambda t: t)) == []
    assert symptoms.of_schedule(curves(lambda t: 1 - t, low)) == []


def test_a_schedule_is_looked_at_in_hundredths_of_its_time():
    """Between its ends, where a scale may be 0."""
    asked = []
    symptoms.of_schedule(curves(lambda t: asked.append(t) or 1 - t, lambda t: t))
    np.testing.assert_allclose(asked, [np.arange(1, 100) / 100])


def test_a_missing_root_is_seen_up_to_rounding():
    angle = np.pi / 2
    sine, cosine = (lambda t: np.sin(angle * t)), (lambda t: np.cos(angle * t))
    assert causes(symptoms.of_schedule(curves(cosine, lambda t: sine(t) ** 2))) == ["missing square root of sigma"]
    assert causes(symptoms.of_schedule(curves(lambda t: cosine(t) ** 2, sine))) == ["missing square root of alpha"]
    for off, count in ((1e-9, 1), (1e-4, 0)):
        assert len(symptoms.of_schedule(curves(cosine, lambda t, off=off: sine(t) ** 2 + off))) == count
        assert len(symptoms.of_schedule(curves(lambda t, off=off: cosine(t) ** 2 + off, sine))) == count
    assert symptoms.of_schedule(curves(cosine, sine)) == []


@pytest.mark.parametrize(("share", "named"), WITHIN_AND_BEYOND)
@pytest.mark.parametrize("size", [0.1, 1.0, 10.0])
def test_answers_are_random_if_they_differ_by_a_thousandth_of_their_deviation(size, share, named):
    calls = []

    def denoise(x, alpha, sigma):
        calls.append(x)
        return size * x + (share * 1e-3 * size * X.std() if len(calls) == 2 else 0)

    assert causes(symptoms.of_form(denoise, ASKED)) == named * ["random answers"]


@pytest.mark.parametrize(("share", "named"), WITHIN_AND_BEYOND)
@pytest.mark.parametrize("constant", [False, True])
def test_a_batch_is_mixed_if_an_image_alone_has_another_answer(constant, share, named):
    """By a twentieth of the deviation of the answers, or of 1 if they have none."""
    right = 0.5 * np.ones(SHAPE) if constant else 0.1 * X
    apart = round(0.05 * share, 8) if constant else 0.05 * share * right.std()

    def denoise(x, alpha, sigma):
        (first,) = [i for i in range(len(X)) if (x[0] == X[i] + 1).all()]  # which one of the middle level it is
        return right[first : first + len(x)] + (apart if len(x) > 1 else 0)

    assert causes(symptoms.of_form(denoise, ASKED)) == named * ["batch mixed"]


def test_the_form_of_an_answer_is_asked_at_the_middle_level():
    levels = []

    def denoise(x, alpha, sigma):
        levels.append((alpha, sigma))
        return x

    assert symptoms.of_form(denoise, ASKED) == []
    assert set(levels) == {(0.8, 0.6)}


def test_each_fault_of_form_has_its_name():
    def overwriting(x, alpha, sigma):
        x += 1
        return x - 1

    faults = {
        "wrong shape": lambda x, alpha, sigma: x[..., 0],
        "input overwritten": overwriting,
        "not finite": lambda x, alpha, sigma: np.where(x == x.max(), np.nan, x),
        "wrong dtype": lambda x, alpha, sigma: x.astype("float32"),
    }
    for name, denoise in faults.items():
        assert causes(symptoms.of_form(denoise, [(0.8, 0.6, X.copy())])) == [name]
    assert causes(symptoms.of_form(lambda x, alpha, sigma: None, ASKED)) == ["wrong shape"]


@pytest.mark.parametrize("size", [0.0, 0.1, 10.0])
@pytest.mark.parametrize(("share", "ignored"), [(0.9, True), (1.1, False)])
def test_the_level_is_ignored_if_answers_differ_by_less_than_a_millionth(size, share, ignored):
    """Of the largest answer, or of 1 if there is none, between the lowest and the highest noise."""
    low = np.full(SHAPE, size)
    high = low + share * 1e-6 * (size or 1.0)
    asked = []

    def denoise(x, alpha, sigma):
        asked.append((sigma, x))
        return low if sigma == 0.1 else high

    assert causes(symptoms.of_level(denoise, ASKED)) == ignored * ["noise level ignored"]
    assert [sigma for sigma, _ in asked] == [0.1, 0.9] and all(x is ASKED[2][2] for _, x in asked)
    assert symptoms.of_level(lambda x, alpha, sigma: low, ASKED[:1]) == []


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("piled", "beyond", "away", "named"),
    [(0.06, 0.06, 0.11, True), (0.04, 0.06, 0.11, False), (0.06, 0.04, 0.11, False), (0.06, 0.06, 0.09, False)],
)
def test_answers_are_clipped_if_they_pile_up_where_data_go_on(side, piled, beyond, away, named):
    """More than 5 % of the answers at a bound, and more than 5 % of the data beyond it by a tenth of their range."""
    data = np.linspace(-1, 1, 1000)
    data[: round(beyond * 1000)] = -2.0  # the range is 3, of which a tenth is 0.3
    bound = -2.0 + 3.0 * away
    data[round(beyond * 1000) :] = np.maximum(data[round(beyond * 1000) :], -0.9)
    pixels = np.linspace(0.5, bound, 1001)[:-1]
    pixels[: round(piled * 1000)] = bound
    found = symptoms.of_range([side * pixels[:400], side * pixels[400:]], side * data)
    assert causes(found) == named * ["answers clipped"]


def test_what_is_just_enough_is_not_too_much():
    """A bound that data go beyond by exactly a tenth of their range, and shares of exactly a twentieth."""
    data = np.linspace(0, 8.9, 1000)
    data[-100:] = 10.0
    pixels = np.linspace(0, 8.5, 1000)
    pixels[-100:] = 9.0
    assert symptoms.of_range([pixels], data) == []
    for piled, beyond, named in ((50, 51, False), (51, 50, False), (51, 51, True)):
        data, pixels = np.linspace(0, 5, 1000), np.linspace(0, 4, 1000)
        data[:beyond], pixels[:piled] = 10.0, 6.0
        assert causes(symptoms.of_range([pixels], data)) == named * ["answers clipped"]
    assert symptoms.of_error({"denoise": [3.0], "simplest": [2.0]}, [1.0]) == []


def repaired(monkeypatch, table, own=1.0, simplest=1.0):
    """What `of_mistakes` names, if the repairs by name leave these errors at five levels."""
    fakes = [Mistake(name, "", lambda denoise, *x, name=name: name) for name in table]
    monkeypatch.setattr(symptoms, "MISTAKES", fakes)
    errors = {"denoise": 5 * [own], "simplest": 5 * [simplest]}
    return causes(symptoms.of_mistakes(None, lambda answer: table[answer(0, 0, 0)], errors, 1.0))


def test_the_mistake_is_the_one_whose_repair_helps_most_where_it_helps(monkeypatch):
    """By the geometric mean of what it leaves at the three levels where that is least."""
    nothing = 5 * [1.0]
    assert repaired(monkeypatch, {"a": nothing}) == []
    assert repaired(monkeypatch, {"a": nothing, "b": [1, 0.5, 1, 0.5, 0.5], "c": [1, 0.6, 0.6, 0.6, 1]}) == ["b"]
    assert repaired(monkeypatch, {"c": [1, 0.6, 0.6, 0.6, 1], "b": [1, 0.5, 1, 0.5, 0.5]}) == ["b"]
    assert repaired(monkeypatch, {"a": 5 * [0.5], "b": 5 * [0.5]}) == ["a"]  # the first of two that help as much
    assert repaired(monkeypatch, {"a": [1, 1, 0.69, 0.69, 0.69]}) == ["a"]
    assert repaired(monkeypatch, {"a": [1, 1, 0.71, 0.71, 0.71]}) == []
    assert repaired(monkeypatch, {"a": [1, 1, 1, 0.5, 0.5]}) == ["a"]  # (1 / 4)^(1/3) = 0.63
    assert repaired(monkeypatch, {"a": [1, 1, 1, 0.6, 0.6]}) == []  # 0.36^(1/3) = 0.71
    assert repaired(monkeypatch, {"a": [0.1, 0.1, 0.1, 1.09, 1.09]}) == ["a"]
    assert repaired(monkeypatch, {"a": [0.1, 0.1, 0.1, 1.0, 1.11]}) == []  # it may not harm anywhere
    assert repaired(monkeypatch, {"a": [0.1, 0.1, 0.1, 0.1, np.inf], "b": 5 * [0.5]}) == ["b"]


def test_a_repair_must_not_be_worse_than_the_simplest_denoiser_and_tiny_errors_are_none(monkeypatch):
    assert repaired(monkeypatch, {"a": 5 * [1.49]}, own=10.0) == ["a"]
    assert repaired(monkeypatch, {"a": [1, 1, 1, 1, 1.51]}, own=10.0) == []
    assert repaired(monkeypatch, {"a": 5 * [0.0]}, own=1e-3, simplest=1.0) == ["a"]  # a half is left
    assert repaired(monkeypatch, {"a": 5 * [0.0]}, own=0.45e-3, simplest=1.0) == ["a"]  # 1 / 1.45
    assert repaired(monkeypatch, {"a": 5 * [0.0]}, own=0.41e-3, simplest=1.0) == []  # 1 / 1.41
    assert repaired(monkeypatch, {"a": 5 * [0.0]}, own=0.7e-3, simplest=2.0) == []  # 2 / 2.7
    assert repaired(monkeypatch, {"a": 5 * [1.0]}, own=np.inf) == ["a"]


@pytest.mark.filterwarnings("error")
def test_repairs_that_overflow_are_passed_over_in_silence(monkeypatch):
    def overflow(denoise, x, alpha, sigma, spread):
        return np.float64(1e300) * np.float64(1e300)

    monkeypatch.setattr(symptoms, "MISTAKES", [Mistake("a", "", overflow)])
    errors = {"denoise": [1.0], "simplest": [1.0]}
    assert symptoms.of_mistakes(None, lambda answer: [answer(0, 0, 0)], errors, 1.0) == []


def test_an_error_is_large_if_it_is_half_as_large_again_as_that_of_the_simplest_denoiser():
    table = {"denoise": [1.0, 3.1, 0.9, 6.0], "simplest": [1.0, 2.0, 1.0, 3.0]}
    (found,) = symptoms.of_error(table, [0.1, 0.25, 1.0, 4.0])
    assert found.cause == "large error"
    assert "up to 2.0 times" in found.shows and found.shows.endswith("at sigma / alpha = 0.25, 4.00")
    table = {"denoise": [1.49, 1.49], "simplest": [1.0, 1.0]}
    assert symptoms.of_error(table, [0.1, 1.0]) == []


def trained(losses, apart=1.0):
    """A training with these losses, whose average of the weights answers `apart` from the network."""
    return SimpleNamespace(losses=losses, net=lambda x, alpha, sigma: x, ema=lambda x, alpha, sigma: x + apart)


def of_state(state, denoise):
    error = lambda net: [float(net(np.zeros(1), 1.0, 1.0)[0])]  # noqa: E731
    return symptoms.of_state(denoise, state, error, ASKED)


def test_a_rate_is_too_large_if_the_loss_rises_again_or_hardly_falls():
    """Means over twentieths of the training: what single steps do, is noise."""
    falling = np.repeat(np.linspace(1.0, 0.2, 20), 50)
    jumping = falling * np.tile([0.2, 1.8], 500)
    rising = {1.45: False, 1.55: True}
    average = lambda x, alpha, sigma: x + 1  # noqa: E731
    for losses in (falling, jumping, falling[::50]):
        assert of_state(trained(losses), average) == []
    for times, named in rising.items():
        again = np.append(falling[:-50], np.full(50, times * falling[-51]))
        assert causes(of_state(trained(again), average)) == named * ["learning rate too large"]
    for last, named in ((0.89, False), (0.91, True)):
        flat = np.append(np.ones(50), np.full(950, last))
        assert causes(of_state(trained(flat), average)) == named * ["learning rate too large"]
    assert of_state(trained([1.0, 1.0, 1.0]), average) == []  # too few to tell
    assert causes(of_state(trained([1.0, 1.0, 1.0, 1.0]), average)) == ["learning rate too large"]


@pytest.mark.parametrize("losses", [[4, 2, 2, 3], [10, 8, 8, 9], [10, 8, 8, 8.5]])
def test_a_loss_may_rise_by_half_and_end_a_tenth_below_its_beginning(losses):
    assert of_state(trained(losses), lambda x, alpha, sigma: x + 1) == []


def test_a_training_is_told_by_the_means_of_its_twentieths():
    means = np.r_[3.0, np.linspace(2, 1, 17), 1.5, 2.25]
    (found,) = of_state(trained(np.repeat(means, 50) * np.tile([0.5, 1.5], 500)), lambda x, alpha, sigma: x + 1)
    assert found.shows == "the loss began at 3, was 1 at its lowest, and is 2.25"


def test_an_average_is_never_used_if_the_answers_are_those_of_the_network():
    falling = np.linspace(1.0, 0.2, 20)
    (found,) = of_state(trained(falling), lambda x, alpha, sigma: x)
    assert found.cause == "average never used"
    assert "error of 0; that of state.ema is 1" in found.shows
    for off, apart, count in ((0.9e-6, 1.0, 1), (1.1e-6, 1.0, 0), (0.0, 1.1e-6, 1), (0.0, 0.9e-6, 0)):
        found = of_state(trained(falling, apart), lambda x, alpha, sigma, off=off: x - off)
        assert len(found) == count, (off, apart)


def test_the_simplest_denoiser_is_the_best_affine_one_of_a_normal_pixel():
    """color + gain (x - alpha color), with the gain that makes the error orthogonal to x."""
    color, spread = np.array([0.3, -0.2]), 0.4
    x = np.random.default_rng(0).standard_normal((3, 2, 2, 2))
    for alpha, sigma in ((0.8, 0.6), (0.3, 1.5)):
        gain = (diagnosis._simplest(color, spread, x, alpha, sigma) - color) / (x - alpha * color)
        np.testing.assert_allclose(gain, gain.flat[0])
        left = spread**2 * alpha - gain.flat[0] * (alpha**2 * spread**2 + sigma**2)  # E (x0 - x0_hat) (x - alpha color)
        assert left == pytest.approx(0, abs=1e-12)


def test_errors_are_mean_squares_and_infinite_where_there_is_no_answer():
    truth = np.zeros(SHAPE)
    asked = [(1.0, 0.1, X), (0.8, 0.6, X), (0.6, 0.8, X), (0.3, 0.9, X)]

    def denoise(x, alpha, sigma):
        if sigma == 0.6:
            raise ValueError("not at this level")
        return x[..., 0] if sigma == 0.8 else x * (np.inf if sigma == 0.9 else 1)

    found = diagnosis._errors(denoise, asked, truth)
    assert found == [pytest.approx((X**2).mean()), np.inf, np.inf, np.inf]


@pytest.mark.filterwarnings("error")
def test_levels_are_those_of_the_schedule_nearest_to_seven_ratios_in_logarithm():
    for schedule in (ed.schedule.cosine(), ed.schedule.flow()):
        levels = diagnosis._levels(schedule)
        assert [s / a for a, s in levels] == pytest.approx(list(diagnosis.RATIOS), rel=0.02)
        times = np.linspace(0, 1, 401)
        alpha, sigma = schedule(times)
        use = (alpha > 0) & (sigma > 0)
        for a, s in levels:
            assert ((alpha == a) & (sigma == s)).sum() == 1
        for ratio, (a, s) in zip(diagnosis.RATIOS, levels, strict=True):
            assert abs(np.log(s / a / ratio)) == pytest.approx(abs(np.log(sigma[use] / alpha[use] / ratio)).min())
    narrow = curves(lambda t: np.ones_like(t), lambda t: 0.5 + 0.2 * t)
    assert [s / a for a, s in diagnosis._levels(narrow)] == pytest.approx([0.5, 0.6, 0.7])
    with pytest.raises(ValueError, match="no time with signal and noise"):
        diagnosis._levels(curves(np.ones_like, np.zeros_like))


def test_clipped_answers_are_those_in_the_unit_interval():
    np.testing.assert_array_equal(
        mistakes.DENOISERS["answers clipped"](lambda x, a, s: x)(2 * X, 1, 1), np.clip(2 * X, 0, 1)
    )


def test_a_mixed_batch_is_drawn_half_way_to_its_mean():
    right = mistakes.DENOISERS["batch mixed"](lambda x, alpha, sigma: x)(X, 0.8, 0.6)
    np.testing.assert_allclose(right - X.mean(0), 0.5 * (X - X.mean(0)), atol=1e-12)


@pytest.mark.parametrize(("share", "fresh"), [(0.095, False), (0.105, True)])
def test_the_spy_tells_the_noise_of_the_start_from_fresh_noise(share, fresh):
    """A tenth of x that is neither the image nor the start is fresh."""
    image, start, other = np.eye(36)[:3].reshape(3, *SHAPE)  # orthogonal
    spy = symptoms._Spy(image, start)
    x = 0.8 * image + 0.6 * start  # of length 1
    assert spy(x + share / np.sqrt(1 - share**2) * other, 0.8, 0.55) is image
    assert spy(5 * (x + share / np.sqrt(1 - share**2) * other), 0.8, 0.55) is image  # in proportion to x
    assert np.isnan(spy.calls.pop()[1]) == fresh
    assert spy(0.3 * start - 2 * image, 0.8, 0.3) is image
    (told, real), second = spy.calls
    assert told == 0.55 and (np.isnan(real) if fresh else real == pytest.approx(0.6))
    assert second == pytest.approx((0.3, 0.3))


def leaves_noise(t):
    return 0.05 + 4 * t


LOOPED = {
    "cosine": ed.schedule.cosine(),
    "ddpm": ed.schedule.ddpm_linear(),
    "flow": ed.schedule.flow(),
    "log-linear": ed.schedule.log_linear(),
    "some noise is left": ed.schedule.Schedule("some noise is left", np.ones_like, leaves_noise),
}
every_schedule = pytest.mark.parametrize("schedule", LOOPED.values(), ids=LOOPED)


def of_loop(loop, schedule):
    return symptoms.of_sampler(loop, schedule, X, 0)


@every_schedule
def test_a_right_loop_is_passed_over_on_every_schedule(schedule):
    assert of_loop(ed.reverse.sample, schedule) == []
    assert of_loop(mistakes._loop, schedule) == []


@every_schedule
@pytest.mark.parametrize("name", mistakes.SAMPLERS)
def test_a_wrong_loop_is_named_on_every_schedule(name, schedule):
    if schedule.name.startswith("flow") and name == "steps in the wrong order":
        return  # alpha(1) = 0: there is no such step
    if schedule.name.startswith("log") and name == "loop ends too early":
        return  # what one step more would take away, nobody sees
    assert causes(of_loop(mistakes.SAMPLERS[name], schedule)) == [name]


@every_schedule
@pytest.mark.parametrize("late", [1, 2])
def test_it_says_by_how_many_steps_a_level_is_late(late, schedule):
    (found,) = of_loop(partial(mistakes._loop, late=late), schedule)
    assert found.cause == "level of another step" and f"step i + {late} where" in found.shows


@pytest.mark.parametrize("noise", [0.3, 1.0])
def test_it_says_how_far_from_the_image_a_loop_ends(noise):
    """As a root of the mean square, over 4 x 9 values."""
    (found,) = of_loop(partial(mistakes._loop, noise=noise), LOOPED["cosine"])
    far = float(re.search(r"ends (\S+) from it, elsewhere each time", found.shows)[1])
    assert far == pytest.approx(noise, rel=0.35)
    (found,) = of_loop(lambda denoise, schedule, x, times: denoise(x, 1.0, 1.0) + noise * x, LOOPED["cosine"])
    far = float(re.search(r"ends (\S+) from it, with noise of the start", found.shows)[1])
    assert far == pytest.approx(noise * np.sqrt(X.var() * 0.012**2 + 1), rel=0.35)


@pytest.mark.parametrize(("off", "named"), [(0.009, False), (0.011, True)])
def test_a_loop_may_end_a_hundredth_from_the_image(off, named):
    fixed = lambda denoise, schedule, x, times: denoise(x, 1.0, 1.0) + off * x / np.sqrt((x**2).mean())  # noqa: E731
    assert causes(of_loop(fixed, LOOPED["cosine"])) == named * ["loop ends too early"]


def test_a_loop_must_ask_and_go_down():
    (found,) = of_loop(lambda denoise, schedule, x, times: x, LOOPED["cosine"])
    assert found.cause == "denoiser not asked"

    def loop(*sigmas):
        def ask(denoise, schedule, x, times):
            for sigma in sigmas:
                image = denoise(x, 0.5, sigma)
            return image

        return ask

    assert causes(of_loop(loop(0.2, 0.3), LOOPED["cosine"])) == ["steps in the wrong order"]
    for right in ((0.3,), (0.3, 0.3), (0.3, 0.2), (0.3, 0.4, 0.2)):
        assert of_loop(loop(*right), LOOPED["cosine"]) == []


def test_a_loop_is_given_twelve_steps_from_noisy_images_and_is_tried_twice():
    given = []

    def loop(denoise, schedule, x, times):
        given.append((x.copy(), times))
        x[:] = 7.0  # whoever writes into x has it for himself
        return denoise(x, 1.0, 1.0)

    assert of_loop(loop, LOOPED["cosine"]) == []
    alpha, sigma = LOOPED["cosine"](1.0)
    for x, times in given:
        np.testing.assert_array_equal(times, LOOPED["cosine"].times(12))
        np.testing.assert_array_equal(x, symptoms.noisy(X, alpha, sigma, streams(0, 4)))
    assert len(given) == 2


@pytest.mark.parametrize(
    ("off", "apart", "named"), [(0.5, 0.0095, 0), (0.5, 0.0105, 1), (0.0095, 0.5, 0), (0.011, 0.5, 1)]
)
def test_noise_in_the_last_step_is_a_hundredth_from_the_image_and_from_the_other_end(off, apart, named):
    ends = iter((off, off - apart))  # an even shift, in no direction of the noise

    def loop(denoise, schedule, x, times):
        return denoise(x, 1.0, 1.0) + next(ends)

    assert causes(of_loop(loop, LOOPED["cosine"])) == named * ["noise in the last step"]


@pytest.mark.parametrize(("along", "named"), [(0.45, False), (0.55, True)])
def test_a_loop_ends_too_early_if_half_of_what_is_left_is_noise_of_the_start(along, named):
    """Of its length, in the direction of x."""

    def loop(denoise, schedule, x, times):
        image = denoise(x, 1.0, 1.0)
        across = np.random.default_rng(0).standard_normal(x.shape)
        across -= (across * x).sum() / (x * x).sum() * x
        left = along * x / np.linalg.norm(x) + np.sqrt(1 - along**2) * across / np.linalg.norm(across)
        return image + 3 * left

    assert causes(of_loop(loop, LOOPED["cosine"])) == named * ["loop ends too early"]


STEADY = curves(np.ones_like, lambda t: np.exp(1.44 * (t - 1)))  # each of twelve steps divides sigma by exp(0.12)


@pytest.mark.parametrize(
    ("told", "real", "calls", "named"),
    [
        (0.0, 0.0, 3, True),
        (0.0, 0.0, 2, False),  # too few to tell
        (0.015, 0.0, 9, True),
        (0.025, 0.0, 9, False),  # the levels named are none of the schedule's
        (0.06, 0.0, 9, False),
        (0.0, -0.015, 9, True),
        (0.0, -0.025, 9, False),  # nor is what x holds
        (0.0, -0.06, 9, False),
    ],
)
def test_a_level_is_of_another_step_if_three_calls_fit_two_steps(told, real, calls, named):
    """Named and held within 2 %, in logarithm."""

    def loop(denoise, schedule, x, times):
        sigmas = schedule(times)[1]
        image = denoise(x, 1.0, 1.05 * sigmas[0])  # fits no step
        start = (x - image) / sigmas[0]
        for now, then in pairwise(sigmas[1 : 2 + calls]):
            denoise(image + now * np.exp(real) * start, 1.0, then * np.exp(told))
        return image + sigmas[-1] * start

    assert causes(of_loop(loop, STEADY)) == named * ["level of another step"]


def test_what_is_asked_with_the_noise_of_the_start_taken_off_is_of_no_step():
    flow = LOOPED["flow"]

    def loop(denoise, schedule, x, times):
        image = denoise(x, 0.0, 1.0)
        for t in times[1:-1].tolist():
            denoise(image - 0.3 * x, *schedule(t))
        return image

    assert of_loop(loop, flow) == []
