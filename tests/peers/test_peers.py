"""The definitions against other people's own code on the same inputs: values.npz, recorded once by record.py.

Where a definition differs on purpose, the test says how and takes the difference into account.
"""

import math
from pathlib import Path

import numpy as np
import pytest

from edudiff import forward, nn, reverse, scores
from edudiff import schedule as schedules
from edudiff.compare import distances, metrics
from edudiff.convnet import adam
from edudiff.denoisers import Ideal, Linear, Masked, Mixture, Patch, WindowSchedule
from edudiff.denoisers.law import frechet
from edudiff.nn.adam import clip, gradient_norm, learning_rate
from edudiff.nn.noise_level import loss_weight, preconditioning
from edudiff.reverse import Level
from edudiff.runs.formulas import OTHER_TAU, TAU
from edudiff.support.components import areas, pieces

VALUES = dict(np.load(Path(__file__).with_name("values.npz")))


def of(peer):
    """The recorded values of one peer, by name."""
    return {name.partition("/")[2]: value for name, value in VALUES.items() if name.startswith(f"{peer}/")}


def close(got, expected, atol=1e-9):
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=atol)


# PyTorch's optimizer


@pytest.mark.parametrize(("name", "beta2"), [("adam", 0.999), ("adam_99", 0.99)])
def test_adam_takes_the_steps_of_pytorch(name, beta2):
    """With the published beta2 and with ours, on gradients from 1e-3 to 1e2; the page's and the engine's."""
    peer = of("torch")
    page, m, v = {"w": peer["start"]}, {"w": np.zeros(6)}, {"w": np.zeros(6)}
    engine = {"w": peer["start"].copy()}
    optimizer = nn.Adam(engine, beta2=beta2)
    for step, (gradient, expected) in enumerate(zip(peer["gradients"], peer[name], strict=True)):
        page, m, v = adam(page, {"w": gradient}, m, v, step + 1, 0.05, beta2=beta2)
        optimizer.step(engine, {"w": gradient}, 0.05)
        close(page["w"], expected)
        close(engine["w"], expected)


def test_learning_rates_and_clipped_gradients_are_those_of_pytorch():
    peer = of("torch")
    close([learning_rate(step, 20, 0.3, warmup=0) for step in range(20)], peer["cosine_rate"])
    close([learning_rate(step, 20, 0.3, warmup=0, decay=0.9) for step in range(20)], peer["factor_rate"])
    gradients = {"a": peer["gradients"][0, :2], "b": peer["gradients"][0, 2:]}
    close(gradient_norm(gradients), peer["norm"])
    clipped = clip(gradients, gradient_norm(gradients), 0.5)
    close(np.concatenate([clipped["a"], clipped["b"]]), peer["clipped"], atol=1e-6)  # PyTorch adds 1e-6 to the norm


# Noise, velocity and samplers


def pair(mean):
    """The ideal denoiser of `mean` (1, ...) and its negative, which all recorded samplers were given."""
    return Ideal(np.concatenate([mean, -mean]))


def levels_of(powers):
    """Noise levels from the cumulated products of diffusers, down to the clean picture."""
    return [Level(math.sqrt(p), math.sqrt(1 - p), 0.0) for p in powers] + [Level(1.0, 0.0, 0.0)]


@pytest.mark.parametrize(("name", "eta"), [("ddim", 0.0), ("ddim_eta", 0.6), ("ddpm", 1.0)])
def test_ddim_and_ddpm_take_the_steps_of_diffusers(name, eta):
    peer = of("diffusers")
    denoise, levels, x = pair(peer["mean"]), levels_of(peer["powers"]), peer["x"]
    noises = peer["ddpm_noises" if name == "ddpm" else "noises"]
    for i, expected in enumerate(peer[name]):
        now, then = levels[i], levels[i + 1]
        x0_hat = denoise(x, now.alpha, now.sigma)
        if name == "ddpm":
            x = reverse.ddpm(x, x0_hat, now, then, lambda i=i: noises[i])
        else:
            x = reverse.ddim(x, x0_hat, now, then, lambda i=i: noises[i], eta)
        close(x, expected)


def test_noise_and_velocity_are_those_of_diffusers():
    peer = of("diffusers")
    alpha, sigma = np.sqrt(peer["levels"]), np.sqrt(1 - peer["levels"])
    close(forward.add_noise(peer["x"], alpha, sigma, peer["noise"]), peer["noisy"], atol=1e-6)  # float32 levels there
    for b, (a, s) in enumerate(zip(alpha, sigma, strict=True)):
        noisy = a * peer["x"][b : b + 1] + s * peer["noise"][b : b + 1]
        close(forward.velocity_from_x0(noisy, peer["x"][b : b + 1], a, s)[0], peer["velocity"][b], atol=1e-6)


def test_ddpm_linear_is_the_thousand_steps_of_ho_et_al():
    """The continuous form and the product of 1,000 factors differ by what a sum differs from its integral."""
    ours = schedules.ddpm_linear()
    steps = np.arange(0, 1000, 37)
    log_power = 2 * np.log(ours((steps + 1) / 1000)[0])
    np.testing.assert_allclose(log_power, np.log(of("diffusers")["alphas_cumprod"]), rtol=0.01, atol=5e-4)
    alpha, sigma = ours(np.array([10, 100, 500, 1000]) / 1000)
    np.testing.assert_allclose(sigma / alpha, of("smalldiffusion")["sigmas"], rtol=0.05)


def variance_exploding(sigmas):
    """A schedule whose time is the noise: alpha 1, sigma 10 t, and the times of a grid of noise levels."""
    ours = schedules.Schedule("exploding", alpha=np.ones_like, sigma=lambda t: 10 * t)
    return ours, np.minimum(sigmas / 10, 1)


@pytest.mark.parametrize(
    ("peer", "name", "method"), [("k_diffusion", "euler", "ddim"), ("k_diffusion", "heun", "heun")]
)
def test_samplers_end_where_those_of_k_diffusion_end(peer, name, method):
    peer = of(peer)
    schedule, times = variance_exploding(peer["sigmas"])
    close(reverse.sample(pair(peer["mean"][None]), schedule, peer["x"], times, method), peer[name], atol=1e-7)


def test_heun_ends_where_the_sampler_of_karras_et_al_ends():
    """Their grid of noise levels is k-diffusion's, and so is the noise that they start from."""
    peer = of("k_diffusion")
    schedule, times = variance_exploding(peer["sigmas"])
    close(reverse.sample(pair(peer["mean"][None]), schedule, peer["x"], times, "heun"), of("edm")["heun"], atol=1e-7)


def test_ddpm_is_the_ancestral_sampler_of_k_diffusion():
    peer = of("k_diffusion")
    denoise, x, grid = pair(peer["mean"][None]), peer["x"], [Level(1.0, float(s), 0.0) for s in peer["sigmas"]]
    for now, then, noise in zip(grid[:-1], grid[1:], peer["noises"], strict=True):
        x = reverse.ddpm(x, denoise(x, 1.0, now.sigma), now, then, lambda noise=noise: noise)
    close(x, peer["ancestral"], atol=1e-7)


def test_ddim_and_ideal_are_those_of_smalldiffusion():
    peer, shared = of("smalldiffusion"), of("k_diffusion")
    schedule, times = variance_exploding(shared["sigmas"][:-1])
    close(reverse.sample(pair(shared["mean"][None]), schedule, shared["x"], times), peer["ddim"], atol=1e-7)
    for ideal in (Ideal, scores.ideal):
        close(ideal(peer["images"])(shared["x"] / 10, 1.0, 0.7), peer["ideal"], atol=2e-7)


# What a network is wrapped in


def test_preconditioning_is_that_of_karras_et_al():
    """k-diffusion's numbers, and what the published wrapper makes of a network that answers its input or its level.

    Our c_noise is log(sigma / alpha), theirs a quarter of it: both only tell the network its level.
    """
    peer, theirs = of("k_diffusion"), of("edm")
    sigma = peer["levels"]
    c_skip, c_out, c_in, c_noise = preconditioning(np.ones(4), sigma, 0.5)
    close([c_skip, c_out, c_in], peer["edm_scalings"])
    wide = lambda c: c[:, None, None, None]  # noqa: E731
    x = theirs["x"]
    close(wide(c_skip) * x + wide(c_out) * wide(c_in) * x, theirs["answers_input"], atol=1e-5)
    close(wide(c_skip) * x + wide(c_out) * wide(c_noise) / 4, theirs["answers_level"], atol=1e-5)


def test_velocity_preconditioning_is_that_of_k_diffusion():
    """Theirs is for x / alpha on a variance-preserving schedule."""
    peer = of("k_diffusion")
    alpha = 1 / np.sqrt(1 + peer["levels"] ** 2)
    c_skip, c_out, c_in, _ = preconditioning(alpha, alpha * peer["levels"], 1.0, "v")
    close([c_skip / alpha, c_out, c_in], peer["v_scalings"] / np.stack([alpha**2, np.ones(4), alpha]))


def test_the_loss_weight_is_that_of_karras_et_al():
    peer = of("edm")
    sigma = peer["loss_sigmas"]
    close(loss_weight(np.ones_like(sigma), sigma, "edm", 0.5), peer["loss_weights"], atol=1e-6)


# Closed forms


@pytest.mark.parametrize("t", [0.15, 0.6])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("window", [3, 5, 7, 9])
def test_els_and_local_scores_are_those_of_kamb_and_ganguli(window, channels, t):
    """With zero padding; their circular code cuts training windows that do not wrap, which is another formula."""
    peer = of("kamb")
    images, x = peer[f"images_{channels}"], peer[f"x_{channels}"]
    alpha, sigma = schedules.cosine()(t)
    for name, shifts in (("els", True), ("local", False)):
        theirs = forward.x0_from_score(x, peer[f"{name}_{channels}_{window}_{t}"], alpha, sigma)
        close(Patch(images, window, shifts=shifts)(x, alpha, sigma), theirs, atol=1e-5)
        page = getattr(scores, name)(images, window=window)
        close(page(x, alpha, sigma), theirs, atol=1e-5)


@pytest.mark.parametrize("t", [0.15, 0.6])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_ideal_score_is_that_of_kamb_and_ganguli(channels, t):
    peer = of("kamb")
    alpha, sigma = schedules.cosine()(t)
    x = peer[f"x_{channels}"]
    theirs = forward.x0_from_score(x, peer[f"ideal_{channels}_0_{t}"], alpha, sigma)
    close(Ideal(peer[f"images_{channels}"])(x, alpha, sigma), theirs, atol=1e-5)


def test_els_with_a_window_schedule_draws_what_kamb_and_ganguli_draw():
    """Nine DDIM steps, each with the window of its own noise level, from t = 0.9; their times are float32."""
    peer = of("kamb")
    schedule, times = schedules.cosine(), np.linspace(0.9, 0, 10)
    levels = [schedule(i / 10) for i in range(1, 10)]
    table = WindowSchedule([sigma / alpha for alpha, sigma in levels], peer["scales"][1:].tolist())
    drawn = reverse.sample(Patch(peer["images_1"], table), schedule, peer["x_1"], times)
    assert np.abs(drawn - peer["drawn"]).max() < 1e-4
    assert metrics.pearson_r(drawn, peer["drawn"]) == pytest.approx(1, abs=1e-7)


@pytest.mark.parametrize("t", [100, 500, 900])
def test_the_mask_and_its_answers_are_those_of_lukoianov_et_al(t):
    """On images with one pixel that never varies and one that hardly does.

    Their covariance divides by N - 1, ours by N: the mask is theirs at a noise level smaller by that. A value that
    hardly varies may look at nothing there, and at itself here.
    """
    peer = of("lukoianov")
    images, x, power = peer["images"], peer["x"], float(peer[f"power_{t}"])
    alpha, sigma = math.sqrt(power), math.sqrt(1 - power)
    mask = Masked(images, 0.02).mask(alpha, sigma * math.sqrt(1 - 1 / len(images)))
    differs = mask != peer[f"mask_{t}"]
    np.testing.assert_array_equal(differs, np.diag(differs.diagonal()))
    assert differs.sum() <= 2 and (mask.diagonal() == 1).all()
    answer = Masked(images, mask=mask)(x, alpha, sigma)
    sees = ~differs.diagonal().reshape(1, 6, 6, 1) & np.ones(x.shape, bool)
    close(answer[sees], peer[f"masked_{t}"][sees], atol=1e-5)


@pytest.mark.parametrize("t", [100, 500, 900])
def test_the_wiener_filter_is_that_of_lukoianov_et_al(t):
    """With their covariance, which divides by N - 1; `fit` divides by N."""
    peer = of("lukoianov")
    images, power = peer["images"], float(peer[f"power_{t}"])
    covariance = np.cov(images.reshape(len(images), -1).T)
    theirs = Linear(images.mean(0), covariance)
    close(theirs(peer["x"], math.sqrt(power), math.sqrt(1 - power)), peer[f"linear_{t}"], atol=1e-6)
    by_n = Linear(images.mean(0), covariance * (1 - 1 / len(images)))
    fitted, level = Linear.fit(images), (math.sqrt(power), math.sqrt(1 - power))
    close(by_n(peer["x"], *level), fitted(peer["x"], *level))


def test_the_masks_threshold_is_the_published_one_for_each_data_set():
    peer = of("lukoianov")
    published = dict(zip(peer["tau_of"].tolist(), peer["tau"].tolist(), strict=True))
    assert {name: published.pop(name) for name in TAU} == TAU
    assert set(published.values()) == {OTHER_TAU}  # of faces


# Statistics


def test_principal_components_are_those_of_scikit_learn():
    """Their variances divide by N - 1."""
    peer = of("scikit")
    ours = Linear.fit(peer["images"])
    order = ours.variances.argsort()[::-1]
    close(ours.variances[order] * 30 / 29, peer["pca"])
    close(np.abs((peer["axes"] @ ours.basis[:, order]).diagonal()), 1)


def test_density_of_a_mixture_is_that_of_scikit_learn():
    peer = of("scikit")
    law = Mixture(peer["weights"], peer["means"], peer["covariances"])
    close(law.log_density(peer["images"]), peer["log_density"])


def test_likeness_and_neighbors_are_those_of_scipy_and_scikit_learn():
    peer = of("scikit")
    images, other = peer["images"], peer["other"]
    close(metrics.pearson_r(images[:7], other), of("scipy")["r"])
    close(metrics.r2_score(images[:7], other), peer["r2"])
    for (index, distance), name in (
        (metrics.nearest(other, images), "nearest"),
        (metrics.nearest(images, images, leave_out=True), "others"),
    ):
        np.testing.assert_array_equal(index, peer[f"{name}_index"])
        close(distance * math.sqrt(4), peer[f"{name}_distance"])  # ours is a root of a mean, theirs of a sum


def test_distances_of_laws_are_those_of_scipy_and_pot():
    data, peer, transport = of("scikit"), of("scipy"), of("pot")
    images, other = data["images"], data["other"]
    for d in range(4):
        a, b = images[:, d : d + 1], other[:, d : d + 1]
        close(distances.energy_distance(a, b), peer["energy"][d], atol=1e-7)
        close(distances.sliced_wasserstein(a, b), transport["line"][d])
    close(distances.sliced_wasserstein(images[:, :2], other[:, :2]), transport["sliced"])
    close(frechet(images.mean(0), peer["covariances"][0], other.mean(0), peer["covariances"][1]), peer["frechet"])


@pytest.mark.parametrize("corners", [False, True])
def test_pieces_are_counted_as_scipy_counts_them(corners):
    peer = of("scipy")
    counts = (areas(pieces(peer["mask"], corners)) > 0).sum(1)
    np.testing.assert_array_equal(counts, peer["pieces"][int(corners)])
