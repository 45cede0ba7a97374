"""The laws in closed form, against large samples: what each architecture can draw, measured once and written down.

Run `python figures/laws.py`; it takes about a minute on two cores, and writes `figures/results/laws.json`.
"""

import math
from pathlib import Path

import numpy as np

import edudiff
from edudiff import denoisers, nn, reverse, schedule
from edudiff.data import toys
from edudiff.support import files

RESULTS = Path(__file__).parent / "results"
WIDE = schedule.log_linear(1e-3, 80.0)
COSINE = schedule.cosine()


def linear(data, count=200_000, steps=200):
    """Mean and covariance of samples of the linear denoiser, against its law and against the data's."""
    denoise, rng = denoisers.Linear.fit(data), np.random.default_rng(1)
    x = WIDE(1.0)[1] * rng.standard_normal((count, 2))
    out = reverse.sample(denoise, WIDE, x, WIDE.times(steps), method="heun")
    law = denoise.generated(WIDE(1.0), WIDE(0.0))
    return {
        "samples": count,
        "from_the_law": law.difference(out)._asdict(),
        "law_from_the_data": law.difference(data)._asdict(),
    }


def trained_linear(data, steps=4000):
    """The trained linear network against the closed form: samples from the same noise, in standard deviations."""
    net = nn.Linear(2, sigma_data=float(np.sqrt((data**2).mean())))
    rng = np.random.default_rng(2)
    how = {"batch": 512, "rate": 2e-2, "ema_decay": 0.99}
    *_, state = nn.train(net, data.astype(np.float32), COSINE, rng, steps, **how)
    closed = denoisers.Linear.fit(data)
    x = reverse.start(COSINE, (2000, 2), np.random.default_rng(5))
    pair = [reverse.sample(denoise, COSINE, x, COSINE.times(50)) for denoise in (state.ema, closed)]
    answers = {}
    for t in (0.1, 0.3, 0.5, 0.7, 0.9):
        alpha, sigma = COSINE(t)
        noisy = alpha * data + sigma * rng.standard_normal(data.shape)
        answers[str(t)] = distance(state.ema(noisy, alpha, sigma), closed(noisy, alpha, sigma), data)
    return {"steps": steps, "samples": distance(*pair, data), "answers_at_t": answers}


def three_atoms(count=20_000):
    """Three atoms with the moments of a normal law up to the fifth: what each degree draws."""
    atoms, weights = np.array([[-math.sqrt(3)], [0.0], [math.sqrt(3)]]), np.array([1, 4, 1]) / 6
    rows = {}
    for degree in range(1, 6):
        denoise = denoisers.Polynomial.fit(atoms, degree, weights)
        x = WIDE(1.0)[1] * np.random.default_rng(3).standard_normal((count, 1))
        out = reverse.sample(denoise, WIDE, x, WIDE.times(400), method="heun")[:, 0]
        rows[str(degree)] = {
            "within_0.1_of_an_atom": float((np.abs(out[:, None] - atoms[:, 0]).min(1) < 0.1).mean()),
            "variance": float(out.var()),
            "kurtosis": float((out**4).mean() / out.var() ** 2),
        }
    return rows


def regression(count=10_000_000, degree=5, alpha=0.8, sigma=0.6):
    """Coefficients from moments, against least squares on samples: the largest difference in its standard errors."""
    points = np.array([-0.9, -0.2, 0.4, 1.1])
    rng, matrix, right = np.random.default_rng(4), np.zeros((degree + 1, degree + 1)), np.zeros(degree + 1)
    spread = np.zeros((degree + 1, degree + 1))
    exact = denoisers.Polynomial.fit(points[:, None], degree).in_powers(alpha, sigma)
    for _ in range(count // 500_000):
        x0 = points[rng.integers(4, size=500_000)]  # (n,)
        x = alpha * x0 + sigma * rng.standard_normal(500_000)  # (n,)
        powers = np.vander(x, degree + 1, increasing=True)  # (n, degree + 1)
        matrix += powers.T @ powers
        right += powers.T @ x0
        residual = powers * (x0 - powers @ exact)[:, None]  # (n, degree + 1)
        spread += residual.T @ residual
    inverse = np.linalg.inv(matrix)
    error = np.sqrt(np.diag(inverse @ spread @ inverse))  # (degree + 1,), whatever the law of the residuals
    fitted = inverse @ right
    return {
        "samples": count,
        "moments": exact.tolist(),
        "regression": fitted.tolist(),
        "standard_errors": error.tolist(),
        "largest_in_standard_errors": float(np.abs((fitted - exact) / error).max()),
    }


def bottleneck(width=6, k=2, count=10_000):
    """How far samples lie off the plane of the top k (x0), and are moved off that of the bottom k (noise)."""
    rng = np.random.default_rng(6)
    data = rng.standard_normal((2000, width)) @ rng.standard_normal((width, width)) + 0.3  # (N, D)
    _, vectors = np.linalg.eigh(np.cov(data.T, bias=True))  # (D, D), rising
    (alpha, sigma), mean = COSINE(1.0), data.mean(0)
    x = sigma * rng.standard_normal((count, width))
    top = reverse.sample(denoisers.Bottleneck.fit(data, k), COSINE, x, COSINE.times(50))
    denoise = denoisers.Bottleneck.fit(data, k, predict="eps")
    moved = reverse.sample(denoise, COSINE, x, COSINE.times(50)) - x / alpha
    flat = alpha * mean + x @ vectors[:, :k] @ vectors[:, :k].T  # a start on the plane of the bottom k
    bottom = reverse.sample(denoise, COSINE, flat, COSINE.times(50)) - mean
    return {
        "x0: off the plane of the top k": float(np.abs((top - mean) @ vectors[:, :-k]).max()),
        "noise: moved off the plane of the bottom k": float(np.abs(moved @ vectors[:, k:]).max()),
        "noise, begun on that plane: off it": float(np.abs(bottom @ vectors[:, k:]).max()),
        "along the plane, for comparison": float(np.abs(moved @ vectors[:, :k]).max()),
    }


def distance(a, b, data):
    """Root mean square difference in standard deviations of the data."""
    return float(np.sqrt((((a - b) / data.std(0)) ** 2).mean()))


def main(out=RESULTS):
    """Measure all, print it, and write `laws.json`."""
    ring = toys.ring(5000, np.random.default_rng(0))
    results = {
        "command": "python figures/laws.py",
        "version": edudiff.__version__,
        "linear": linear(ring),
        "trained_linear": trained_linear(ring * [1, 0.5] + [0.2, -0.1]),
        "three_atoms": three_atoms(),
        "regression": regression(),
        "bottleneck": bottleneck(),
    }
    files.write_results(files.open_folder(out) / "laws.json", results)
    for name, found in results.items():
        print(name, found, flush=True)


if __name__ == "__main__":
    main()
