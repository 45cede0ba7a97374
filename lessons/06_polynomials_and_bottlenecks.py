# %% [markdown]
# # 6. Polynomials and bottlenecks
#
# Between the linear denoiser, which knows two moments of the data, and the ideal one, which knows everything, lie the
# polynomials. And there is another way to be narrow: to squeeze the picture through k numbers. Both restrictions have a
# best denoiser in closed form, and each invents in its own way (after Levine & Weiss 2026; the formulas here are
# derived, not quoted). Both are in the engine alone, `edudiff.denoisers`: the page, `edudiff.scores`, has the two ends,
# `linear` and `ideal`.

# %%
import os
import sys

import numpy as np

import edudiff as ed
from edudiff import plot
from edudiff.data import toys
from edudiff.denoisers.projection import projection
from edudiff.support.random import standard_normal, streams

FAST = bool(os.environ.get("EDUDIFF_FAST")) or sys.platform == "emscripten"  # or True: everything small

# %% [markdown]
# ## The best polynomial
#
# On a line, let $\hat x_0 = \sum_{j \le d} c_j x^j$. The error $E|x_0 - \hat x_0|^2$ is least where it is uncorrelated
# with every power of `x`:
#
# $$\sum_j E[x^{i+j}]\, c_j = E[x^i x_0], \qquad i = 0, \dots, d.$$
#
# Left: moments of the noisy data, up to order $2d$. Right: Stein's identity $E[x^i \sigma n] = i\,\sigma^2 E[x^{i-1}]$
# turns $\alpha x_0 = x - \sigma n$ into $\alpha E[x^i x_0] = E[x^{i+1}] - i\,\sigma^2 E[x^{i-1}]$: moments again. And
# the moments of noisy data are known from those of the clean data. So a polynomial of degree d knows of the data
# **the first 2d moments and nothing else**. Degree 1 is the linear denoiser.
#
# The cell solves these equations in powers of `x`, and compares with `Polynomial`, which solves them in Hermite
# polynomials: the same function, with far smaller rounding errors at high degree. And it compares degree 1 with
# `scores.linear`.
#
# **Step through this.** Put a breakpoint in `Polynomial.coefficients` (in `edudiff/denoisers/polynomial.py`) and look
# at `gram` at small and at large `sigma`. When is it nearly the unit matrix?
#
# **Change this and see it fail.** In `normal_equations`, below, change `(i * sigma**2 * m[i - 1] if i else 0)` to `0`,
# and run the two cells again: without Stein's term the noise is taken for signal, and the two ways part. What does
# `normal_equations(points, 1, alpha, sigma)` answer now, times alpha, and why? Then change it back.


# %%
def moments_of_noisy_data(points, alpha, sigma, order):
    """E x^k for k = 0, ..., order: from a fine sum over the normal density. Points on the line, (N,)."""
    z = np.linspace(-12, 12, 4001)  # (G,)
    weight = np.exp(-(z**2) / 2) / np.exp(-(z**2) / 2).sum()  # (G,)
    x = alpha * points[:, None] + sigma * z  # (N, G)
    return [float((x**k @ weight).mean()) for k in range(order + 1)]


def normal_equations(points, degree, alpha, sigma):
    """The coefficients c_0, ..., c_d of the best polynomial."""
    m = moments_of_noisy_data(points, alpha, sigma, 2 * degree)
    left = [[m[i + j] for j in range(degree + 1)] for i in range(degree + 1)]
    right = [(m[i + 1] - (i * sigma**2 * m[i - 1] if i else 0)) / alpha for i in range(degree + 1)]
    return np.linalg.solve(left, right)  # (degree + 1,)


# %%
points, alpha, sigma, worst = np.array([-1.0, 1.0]), 0.8, 0.6, 0.0
for degree in (1, 3, 5):
    mine = normal_equations(points, degree, alpha, sigma)
    theirs = ed.denoisers.Polynomial.fit(points[:, None], degree).in_powers(alpha, sigma)
    print(f"degree {degree}: " + " ".join(f"{c:+.4f}" for c in theirs))
    worst = max(worst, float(np.abs(mine - theirs).max()))
print(f"normal equations and Polynomial differ by {worst:.1e}; even powers vanish, for the data are symmetric")
x = np.linspace(-2, 2, 41)[:, None]  # (B, 1)
line, page = ed.denoisers.Polynomial.fit(points[:, None], 1), ed.scores.linear(points[:, None])
apart = float(np.abs(line(x, alpha, sigma) - page(x, alpha, sigma)).max())
print(f"degree 1 and scores.linear differ by {apart:.1e}")

# %% [markdown]
# ## Two atoms, seen through polynomials
#
# Data: -1 or 1, with equal chance. The ideal denoiser is $\tanh(\alpha x / \sigma^2)$, an S that steepens as the noise
# falls. A straight line cannot bend, a cubic bends once each way. Left: the denoisers at one noise level. Right: what
# each draws. The line draws a normal law around 0, where there never was a point. The cubic draws two hills. Degree 5
# is nearly right.
#
# A polynomial leaves every bound far from the data, so a few paths of a high degree run away; `stop=10` holds them at
# ten standard deviations, where they can be counted.


# %%
points, schedule = np.array([[-1.0], [1.0]]), ed.schedule.cosine()  # (N, 1)
count = 2000 if FAST else 20_000
x = ed.reverse.start(schedule, (count, 1), streams(0, count))  # (B, 1)
line = np.linspace(-1.6, 1.6, 200)[:, None]  # (G, 1)
denoisers = {f"degree {d}": ed.denoisers.Polynomial.fit(points, d, stop=10) for d in (1, 3, 5)}
denoisers["ideal"] = lambda x, alpha, sigma: np.tanh(alpha * x / sigma**2)  # scores.ideal(points), in one line
figure = plot.empty_figure(10, 3.6)
left, right = figure.subplots(1, 2)
for name, denoise in denoisers.items():
    left.plot(line[:, 0], denoise(line, 0.8, 0.6)[:, 0], label=name)
    drawn = ed.reverse.sample(denoise, schedule, x, schedule.times(60) ** 1.5, "heun")[:, 0]  # (B,)
    near = float((np.abs(np.abs(drawn) - 1) < 0.1).mean())
    far = float((np.abs(drawn) > 4).mean())
    print(f"{name:9} variance {drawn[np.abs(drawn) < 4].var():.3f}, {near:6.1%} within 0.1 of an atom, ", end="")
    print(f"{far:.1%} ran away")
    if name != "ideal":
        right.hist(drawn, bins=80, range=(-2.5, 2.5), density=True, histtype="step", label=name)
left.set(xlabel="x", ylabel="x0_hat", ylim=(-1.8, 1.8), title="sigma = 0.6")
right.set(xlabel="drawn x", ylim=(0, 4), title="what each draws")
left.legend(frameon=False, fontsize=8)
plot.present(figure, "06_polynomials_and_bottlenecks_1")

# %% [markdown]
# ## Fooled by moments
#
# Here is a law that a polynomial takes for a normal one: $-\sqrt3, 0, \sqrt3$ with chances 1/6, 2/3, 1/6. Its moments
# 0, 1, 0, 3, 0 are the first five of the standard normal law (these are the nodes of Gauss-Hermite quadrature). If
# the moments up to $d + 1$ are normal, the equations above have the *linear* answer. So degrees 1 to 4 draw a
# standard normal cloud from three atoms. Degree 5 asks for the sixth moment, 9 instead of 15, and sees them at once.


# %%
atoms, weights = np.sqrt(3) * np.array([[-1.0], [0.0], [1.0]]), np.array([1, 4, 1]) / 6  # (3, 1), (3,)
schedule, count = ed.schedule.cosine(), 1000 if FAST else 5000
x = ed.reverse.start(schedule, (count, 1), streams(0, count))  # (B, 1)
for degree in (1, 2, 3, 4, 5):
    denoise = ed.denoisers.Polynomial.fit(atoms, degree, weights, stop=10)
    c = np.append(denoise.in_powers(0.8, 0.6), np.zeros(5))
    drawn = ed.reverse.sample(denoise, schedule, x, schedule.times(60) ** 1.5, "heun")  # (B, 1)
    near = float((np.abs(drawn - atoms[:, 0]).min(axis=1) < 0.1).mean())
    print(f"degree {degree}: x^3 {c[3]:+.1e}, x^5 {c[5]:+.1e}; {near:.1%} of the draws within 0.1 of an atom")

# %% [markdown]
# ## Why "best of its kind" means "nearest score"
#
# Lesson 2 split the error: $E|x_0 - D|^2 = E|x_0 - D^*|^2 + E|D - D^*|^2$ with $D^*$ the ideal denoiser. Write both
# denoisers by their scores, $D = (x + \sigma^2 q)/\alpha$: the last term is
# $(\sigma^2/\alpha)^2\,E|q - \nabla\log p|^2$. So to train any restricted denoiser is to find, among the scores that it
# can express, the one nearest to the true score. This holds for polynomials, networks and all else. The cell
# measures both sides on a mixture of two normal laws, each its own way.


# %%
target = ed.denoisers.Mixture(np.array([0.4, 0.6]), np.array([[-1.0], [0.7]]), np.array([[[0.04]], [[0.09]]]))
points = target.sample(np.random.default_rng(0), 4000)  # (N, 1)
for degree in (1, 2, 3, 5):
    sides = projection(ed.denoisers.Polynomial.fit(points, degree), target, 0.8, 0.6)
    print(f"degree {degree}: excess error {sides.excess:.6f}, from the scores {sides.predicted:.6f}")

# %% [markdown]
# ## A bottleneck, and what it predicts
#
# Now a linear denoiser of rank k: the picture goes through k numbers. Least squares under a rank constraint keeps the
# directions where the answer has most to say. If the network answers the *picture*, these are the k components with the
# largest variance, with the Wiener gain along each. Its samples are $N(\mu, S)$ flattened onto that plane.
#
# Now let the same network answer the *noise*, and compute $\hat x_0 = (x - \sigma\hat n)/\alpha$ from it, as most code
# does. Noise is best seen where the picture is *not* in the way: the best rank-k answer keeps the k components with the
# **smallest** variance. Along all the others it says "no noise here", and there $x/\alpha$ stays what it was at the
# start, noise as large as $\sigma_T/\alpha_T$. One sentence in the code, another world of pictures.


# %%
rng, schedule = np.random.default_rng(0), ed.schedule.cosine()
data = rng.standard_normal((500, 2)) * [0.5, 0.15] @ np.array([[0.8, 0.6], [-0.6, 0.8]])  # (N, 2)
times = np.linspace(0.8, 0.0, 41 if FAST else 81)
alpha, sigma = schedule(0.8)
x = sigma * standard_normal(streams(0, 500), (500, 2))  # (B, 2)
drawn = {"data": data}
for predict in ed.denoisers.bottleneck.PREDICTS:
    denoise = ed.denoisers.Bottleneck.fit(data, 1, predict)
    drawn[f"predicts_{predict}"] = ed.reverse.sample(denoise, schedule, x, times, "heun")  # (B, 2)
    law = denoise.generated(first=(alpha, sigma))
    spread = np.sqrt(np.linalg.eigvalsh(law.covariance))
    found = np.sqrt(np.abs(np.linalg.eigvalsh(np.cov(drawn[f"predicts_{predict}"].T, bias=True))))
    print(f"predicts {predict:5}: standard deviations by the law {np.round(spread, 3)}, drawn {np.round(found, 3)}")
plot.present(plot.clouds({"rank 1": drawn}, reach=4), "06_polynomials_and_bottlenecks_2")

# %% [markdown]
# ## Five kinds of invention
#
# The same training points and the same noise, through five denoisers. Each keeps what it can express: all points; an
# ellipse; with degree 3 and 5 the rim of the ring and the bend of the moons; a line.


# %%
count, schedule, rows = 200 if FAST else 800, ed.schedule.cosine(), {}
for name, make in (("ring", toys.ring), ("two moons", toys.two_moons)):
    data = make(count, np.random.default_rng(0))  # (N, 2)
    denoisers = {
        "ideal": ed.scores.ideal(data),
        "linear": ed.scores.linear(data),
        "degree_3": ed.denoisers.Polynomial.fit(data, 3, stop=10),
        "degree_5": ed.denoisers.Polynomial.fit(data, 5, stop=10),
        "bottleneck_1": ed.denoisers.Bottleneck.fit(data, 1),
    }
    x = ed.reverse.start(schedule, data.shape, streams(0, count))  # (B, 2)
    drawn, _ = ed.compare.draw(denoisers, schedule, x, schedule.times(40) ** 2, "heun")
    rows[name] = {"data": data, **drawn}
plot.present(plot.clouds(rows), "06_polynomials_and_bottlenecks_3")

# %% [markdown]
# ## Questions
#
# 1. The data are symmetric, $x_0$ and $-x_0$ equally likely. Why is the best polynomial of degree 4 the one of
#    degree 3?
# 2. Degree 3 gives no closed form for the law of its samples in the plane, though the denoiser is in closed form. What
#    is different from degree 1?
# 3. The bottleneck that predicts noise keeps the bottom components. What happens for k = D, with no bottleneck at all?
# 4. You have one million training points and fit degree 3 in two dimensions. How many numbers of the data does the
#    denoiser know?
#
# <details><summary>Answers</summary>
#
# 1. The ideal denoiser is then odd, and so is its projection: all even coefficients vanish.
# 2. Along a linear flow a mean and a covariance go to a mean and a covariance. A cubic flow makes the second moment
#    depend on the fourth, the fourth on the sixth, and so on: the moments never close.
# 3. Nothing: with full rank, picture and noise are two ways to write the same linear function, and both are the Wiener
#    filter.
# 4. All moments up to order 6: 27 (there are k + 1 of order k), whatever the number of points.
#
# </details>

# %% [markdown]
# ## Sources
#
# - [Levine & Weiss 2026](https://arxiv.org/abs/2605.16415): linear, polynomial and bottleneck denoisers, and what they
#   draw.
