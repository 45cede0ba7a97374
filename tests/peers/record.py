"""Records what other people's code answers on the same inputs: writes values.npz beside this file.

Run once, in an environment with the packages below; the tests that read the file need none of them.

    pip install torch torchvision diffusers k-diffusion smalldiffusion scikit-learn scipy POT faiss-cpu omegaconf \
        matplotlib click 'setuptools<81'
    python tests/peers/record.py REPOSITORIES

REPOSITORIES is a folder with checkouts of three repositories of GitHub, which are no packages:

    Kambm/convolutional_diffusion           6a87f3f  the ELS, local and ideal scores of Kamb & Ganguli 2024
    ottogin/locality-in-diffusion-models    48d6995  the masked and the linear denoiser of Lukoianov et al. 2025
    NVlabs/edm                              008a4e5  the sampler, preconditioning and weight of Karras et al. 2022

Each value is `peer/what`; arrays of images are in the layout of edudiff, channels last. PyTorch's layers are recorded
apart, by tests/nn/make_torch_fixture.py.
"""

import importlib.metadata
import math
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

FILE = Path(__file__).with_name("values.npz")
PACKAGES = ("torch", "diffusers", "k-diffusion", "smalldiffusion", "scikit-learn", "scipy", "POT")
VALUES: dict[str, np.ndarray] = {"about": np.array([f"{p} {importlib.metadata.version(p)}" for p in PACKAGES])}


def keep(peer, **values):
    for name, value in values.items():
        value = value.detach().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
        VALUES[f"{peer}/{name}"] = value


def first(x):
    """(B, H, W, C) -> (B, C, H, W) as a tensor, and back with `last`."""
    return torch.tensor(x).permute(0, 3, 1, 2)


def last(x):
    return x.permute(0, 2, 3, 1).contiguous()


def pair(mean, x, sigma):
    """The ideal denoiser of `mean` and its negative at signal scale 1, for the samplers: x (B, ...), sigma a number."""
    along = (x * mean).flatten(1).sum(1)
    return mean * torch.tanh(along / sigma**2).reshape(-1, *[1] * (x.ndim - 1))


class Told(torch.nn.Module):
    """A network that answers what it is given, or what it is told of the noise level."""

    def __init__(self, level, **_):
        super().__init__()
        self.level = level

    def forward(self, x, c_noise, **_):
        return c_noise.reshape(-1, 1, 1, 1) + 0 * x if self.level else x


def optimizers(rng):
    start, gradients = rng.standard_normal(6), 10.0 ** rng.integers(-3, 3, (8, 6)) * rng.standard_normal((8, 6))
    keep("torch", start=start, gradients=gradients)
    for name, betas in {"adam": (0.9, 0.999), "adam_99": (0.9, 0.99)}.items():
        p = torch.tensor(start, requires_grad=True)
        optimizer, path = torch.optim.Adam([p], lr=0.05, betas=betas), []
        for gradient in gradients:
            p.grad = torch.tensor(gradient)
            optimizer.step()
            path.append(p.detach().clone())
        keep("torch", **{name: torch.stack(path)})
    dummy = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    for name, make in {
        "cosine_rate": lambda: torch.optim.lr_scheduler.CosineAnnealingLR(dummy, 20),
        "factor_rate": lambda: torch.optim.lr_scheduler.ExponentialLR(dummy, 0.9),
    }.items():
        dummy.param_groups[0].update(lr=0.3, initial_lr=0.3)
        scheduler, rates = make(), []
        for _ in range(20):
            rates.append(dummy.param_groups[0]["lr"])
            dummy.step()
            scheduler.step()
        keep("torch", **{name: rates})
    p = torch.zeros(6, dtype=torch.float64, requires_grad=True)
    p.grad = torch.tensor(gradients[0])
    norm = torch.nn.utils.clip_grad_norm_([p], 0.5)
    keep("torch", clipped=p.grad, norm=norm)


def schedulers(rng):
    """diffusers: noise, velocity, and whole runs of DDIM and DDPM on the 1,000 steps of Ho et al. 2020."""
    from diffusers import DDIMScheduler, DDPMScheduler

    settings = {"clip_sample": False, "beta_schedule": "linear", "beta_start": 1e-4, "beta_end": 0.02}
    mean, x = torch.tensor(rng.uniform(-1, 1, (1, 5))), torch.tensor(rng.standard_normal((3, 5)))
    noises, drawn = torch.tensor(rng.standard_normal((10, 3, 5))), []
    runs = {
        "ddim": (DDIMScheduler(**settings, set_alpha_to_one=True), {"eta": 0.0}),
        "ddim_eta": (DDIMScheduler(**settings, set_alpha_to_one=True), {"eta": 0.6}),
        "ddpm": (DDPMScheduler(**settings, variance_type="fixed_small"), None),
    }
    powers = runs["ddim"][0].alphas_cumprod.double()
    keep("diffusers", mean=mean, x=x, noises=noises, alphas_cumprod=powers[::37])
    for name, (scheduler, extra) in runs.items():
        scheduler.alphas_cumprod = powers
        scheduler.final_alpha_cumprod = torch.tensor(1.0, dtype=torch.float64)
        scheduler.one = scheduler.final_alpha_cumprod
        scheduler.set_timesteps(10)
        now, path = x.clone(), []
        for i, t in enumerate(scheduler.timesteps):
            alpha, sigma = powers[t].sqrt(), (1 - powers[t]).sqrt()
            eps = (now - alpha * pair(mean, now / alpha, sigma / alpha)) / sigma
            if extra is None:
                torch.manual_seed(i)
                drawn.append(torch.randn(now.shape, dtype=now.dtype))  # what the scheduler draws next
                torch.manual_seed(i)
                now = scheduler.step(eps, t, now).prev_sample
            else:
                fresh = {"variance_noise": noises[i]} if extra["eta"] else {}
                now = scheduler.step(eps, t, now, **extra, **fresh).prev_sample
            path.append(now)
        keep("diffusers", **{name: torch.stack(path)})
    keep("diffusers", ddpm_noises=torch.stack(drawn), powers=powers[scheduler.timesteps])
    noise, t = torch.tensor(rng.standard_normal((3, 5))), torch.tensor([20, 500, 980])
    scheduler = runs["ddpm"][0]
    keep("diffusers", noise=noise, levels=powers[t], noisy=scheduler.add_noise(x, noise, t))
    keep("diffusers", velocity=scheduler.get_velocity(x, noise, t))


def variance_exploding(rng, repositories):
    """Samplers for x = x0 + sigma noise: k-diffusion, EDM's own, smalldiffusion; and what they wrap a network in."""
    import k_diffusion
    from smalldiffusion import diffusion
    from smalldiffusion.model import IdealDenoiser, ModelMixin

    mean = torch.tensor(rng.uniform(-1, 1, (2, 2, 1)))
    sigmas = k_diffusion.sampling.get_sigmas_karras(8, 0.02, 10.0).double()
    x, noises = torch.tensor(10 * rng.standard_normal((3, 2, 2, 1))), torch.tensor(rng.standard_normal((8, 3, 2, 2, 1)))
    keep("k_diffusion", mean=mean, sigmas=sigmas, x=x, noises=noises)

    def denoise(x, sigma, *_):
        return pair(mean, x, sigma.reshape(-1)[0])

    quiet = {"disable": True}
    keep("k_diffusion", euler=k_diffusion.sampling.sample_euler(denoise, x, sigmas, **quiet))
    keep("k_diffusion", heun=k_diffusion.sampling.sample_heun(denoise, x, sigmas, **quiet))
    draws = iter(noises)
    quiet["noise_sampler"] = lambda *_: next(draws)
    keep("k_diffusion", ancestral=k_diffusion.sampling.sample_euler_ancestral(denoise, x, sigmas, **quiet))
    levels = torch.tensor([0.01, 0.3, 1.0, 7.0], dtype=torch.float64)
    scalings = k_diffusion.layers.Denoiser(torch.nn.Identity(), sigma_data=0.5).get_scalings(levels)
    keep("k_diffusion", levels=levels, edm_scalings=torch.stack(scalings))
    scalings = k_diffusion.external.VDenoiser(torch.nn.Identity()).get_scalings(levels)
    keep("k_diffusion", v_scalings=torch.stack(scalings))

    class Pair(torch.nn.Module, ModelMixin):
        input_dims = (2, 2, 1)

        def predict_eps_cfg(self, x, sigma, *_):
            return (x - pair(mean, x, sigma)) / sigma

    *_, end = diffusion.samples(Pair(), sigmas[:-1], xt=x, accelerator=SimpleNamespace(device="cpu"))
    images = torch.tensor(rng.uniform(-1, 1, (9, 2, 2, 1)))
    noise = IdealDenoiser(images)(x / 10, torch.tensor(0.7))
    keep("smalldiffusion", ddim=end, images=images, ideal=x / 10 - 0.7 * noise)
    schedule = diffusion.ScheduleDDPM()
    keep("smalldiffusion", sigmas=schedule.sigmas[[9, 99, 499, 999]].double())

    sys.path.insert(0, str(repositories / "edm"))
    import generate
    from training import loss, networks

    net = SimpleNamespace(sigma_min=0.02, sigma_max=10.0, round_sigma=torch.as_tensor)
    wrapped = type("Net", (), {**vars(net), "__call__": staticmethod(denoise)})()
    wrapped.round_sigma = torch.as_tensor
    keep("edm", heun=generate.edm_sampler(wrapped, x / 10, num_steps=8))

    networks.Told = Told
    some = first(rng.standard_normal((4, 2, 2, 1))).float()
    for level, name in ((False, "answers_input"), (True, "answers_level")):
        net = networks.EDMPrecond(2, 1, sigma_data=0.5, model_type="Told", level=level)
        keep("edm", **{name: last(net(some, levels)).double()})
    keep("edm", x=last(some).double())
    seen = []

    def ones(x, sigma, *_, **__):
        seen.append(sigma)
        return torch.ones_like(x)

    torch.manual_seed(0)
    weight = loss.EDMLoss()(ones, torch.zeros(5, 1, 1, 1, dtype=torch.float64))
    keep("edm", loss_sigmas=seen[0].flatten().double(), loss_weights=weight.flatten().double())


def statistics(rng):
    import ot
    import scipy
    from sklearn import metrics, mixture, neighbors
    from sklearn.decomposition import PCA

    images = rng.uniform(-1, 1, (30, 4)) @ rng.standard_normal((4, 4))
    other = 0.3 + images[:7] @ rng.standard_normal((4, 4))
    keep(
        "scikit",
        images=images,
        other=other,
        pca=PCA().fit(images).explained_variance_,
        axes=PCA().fit(images).components_,
    )
    keep("scikit", r2=[metrics.r2_score(a, b) for a, b in zip(images[:7], other, strict=True)])
    distance, index = neighbors.NearestNeighbors(n_neighbors=2).fit(images).kneighbors(other)
    keep("scikit", nearest_index=index[:, 0], nearest_distance=distance[:, 0])
    distance, index = neighbors.NearestNeighbors(n_neighbors=2).fit(images).kneighbors(images)
    keep("scikit", others_index=index[:, 1], others_distance=distance[:, 1])
    law = mixture.GaussianMixture(3)
    roots = rng.standard_normal((3, 4, 4))
    law.weights_, law.means_ = np.array([0.2, 0.5, 0.3]), rng.standard_normal((3, 4))
    law.covariances_ = roots @ roots.swapaxes(1, 2) + 0.1 * np.eye(4)
    law.precisions_cholesky_ = np.stack([np.linalg.cholesky(np.linalg.inv(c)) for c in law.covariances_])
    keep("scikit", weights=law.weights_, means=law.means_, covariances=law.covariances_)
    keep("scikit", log_density=law.score_samples(images))
    keep("scipy", r=[scipy.stats.pearsonr(a, b).statistic for a, b in zip(images[:7], other, strict=True)])
    keep("scipy", energy=[scipy.stats.energy_distance(a, b) for a, b in zip(images.T, other.T, strict=True)])
    s, t = np.cov(images.T), np.cov(other.T) + 0.1 * np.eye(4)
    squared = ((images.mean(0) - other.mean(0)) ** 2).sum() + np.trace(s + t - 2 * scipy.linalg.sqrtm(s @ t).real)
    keep("scipy", covariances=[s, t], frechet=math.sqrt(squared))
    mask = rng.random((6, 9, 11)) < 0.5
    counts = [[scipy.ndimage.label(m, np.ones((3, 3)) if corners else None)[1] for m in mask] for corners in (0, 1)]
    keep("scipy", mask=mask, pieces=counts)
    keep("pot", line=[math.sqrt(ot.wasserstein_1d(a, b, p=2)) for a, b in zip(images.T, other.T, strict=True)])
    angles = math.pi * (np.arange(64) + 0.5) / 64
    lines = np.stack([np.cos(angles), np.sin(angles)])
    keep("pot", sliced=ot.sliced_wasserstein_distance(images[:, :2], other[:, :2], projections=lines))


def local_scores(rng, repositories):
    """Kamb & Ganguli's scores of one image at two noise levels, and whole runs of their ELS with a window schedule.

    In batches of equal size: two of the three average over each batch first, which weighs a smaller one too much.
    """
    sys.path.insert(0, str(repositories / "convolutional_diffusion"))
    from utils import idealscore

    for channels in (1, 3):
        images = 0.9 * rng.uniform(-1, 1, (6, 8, 8, channels))
        x = rng.standard_normal((1, 8, 8, channels))
        keep("kamb", **{f"images_{channels}": images, f"x_{channels}": x})
        data = torch.utils.data.TensorDataset(first(images), torch.zeros(len(images)))
        how = {"batch_size": 3, "schedule": idealscore.cosine_noise_schedule, "max_samples": None}
        made = {
            "els": idealscore.LocalEquivBordersScoreModule(data, image_size=8, channels=channels, **how),
            "local": idealscore.LocalScoreModule(data, image_size=8, **how),
            "ideal": idealscore.IdealScoreModule(data, image_size=8, **how),
        }
        for t in (0.15, 0.6):
            for name, module in made.items():
                for window in (3, 5, 7, 9) if name != "ideal" else (0,):
                    score = module(torch.tensor([t]), first(x), device="cpu", k=window)
                    keep("kamb", **{f"{name}_{channels}_{window}_{t}": last(score)})
    scales = [3, 3, 3, 3, 3, 5, 5, 5, 7, 7]  # number i is that of time i / 10
    images, x = VALUES["kamb/images_1"], VALUES["kamb/x_1"]
    data = torch.utils.data.TensorDataset(first(images), torch.zeros(len(images)))
    module = idealscore.LocalEquivBordersScoreModule(data, image_size=8, channels=1, **how)
    machine = idealscore.ScheduledScoreMachine(module, in_channels=1, imsize=8, scales=scales)
    keep("kamb", scales=scales, drawn=last(machine(first(x), device="cpu")))


def masked(rng, repositories):
    """Lukoianov et al.'s mask and answers on images with a pixel that is always dark and one that hardly varies."""
    sys.path.insert(0, str(repositories / "locality-in-diffusion-models" / "src"))
    from local_diffusion.models.pca_locality import PCALocalityDenoiser
    from local_diffusion.models.wiener import DenoisingWiener
    from omegaconf import OmegaConf

    rows, cols = np.mgrid[:6, :6]
    at, size = rng.uniform(1, 4, (2, 50, 1, 1)), rng.uniform(0.5, 2, (50, 1, 1))
    images = 2 * np.exp(-((rows - at[0]) ** 2 + (cols - at[1]) ** 2) / size)[..., None] - 1
    images[:, 0, 0] = -1.0
    images[:, 5, 5] = -1 + 1e-3 * (images[:, 2, 2] + 1)
    x = rng.standard_normal((4, 6, 6, 1))
    keep("lukoianov", images=images, x=x)
    loader = [first(images)]
    bundle = SimpleNamespace(name="peer", resolution=6, in_channels=1, dataloader=loader)
    with tempfile.TemporaryDirectory() as folder:
        how = {"params": {"wiener_path": folder, "mask_threshold": 0.02}}
        local = PCALocalityDenoiser(bundle, "cpu", 10, **how).train(bundle)
        linear = DenoisingWiener(bundle, "cpu", 10, **how).train(bundle)
        for t in (100, 500, 900):
            mask, power, _ = local._projection_mask(t)
            step = torch.tensor(t)
            keep("lukoianov", **{f"power_{t}": power.double(), f"mask_{t}": mask})
            keep("lukoianov", **{f"masked_{t}": last(local.denoise(first(x), step))})
            keep("lukoianov", **{f"linear_{t}": last(linear.denoise(first(x), step))})
    configs = repositories / "locality-in-diffusion-models" / "configs" / "pca_locality"
    names = sorted(path.stem for path in configs.glob("*.yaml"))
    taus = [OmegaConf.load(configs / f"{name}.yaml").model.params.mask_threshold for name in names]
    keep("lukoianov", tau_of=names, tau=taus)


def main(repositories):
    torch.set_default_dtype(torch.float64)
    for i, record in enumerate((optimizers, schedulers, statistics)):
        record(np.random.default_rng(i))
    for i, record in enumerate((variance_exploding, local_scores, masked)):
        record(np.random.default_rng(10 + i), repositories)
    np.savez_compressed(FILE, **VALUES)
    print(f"{FILE.name}: {FILE.stat().st_size:,} bytes, {len(VALUES)} values; {', '.join(VALUES['about'].tolist())}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
