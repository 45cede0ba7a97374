# %% [markdown]
# # 1. Adding noise
#
# A diffusion model learns to undo one thing: the adding of noise. This lesson looks at the noise itself.
#
# A clean picture `x0` and standard normal `noise` of the same shape are mixed:
#
# $$x = \alpha\, x_0 + \sigma\, \text{noise}$$
#
# `alpha` says how much of the picture is left, `sigma` how much noise there is. A *schedule* turns a time `t` between
# 0 (the picture) and 1 (noise) into these two numbers.
#
# Run this file as a program, cell by cell in an editor that knows `# %%`, or as a notebook
# (`jupytext --to notebook 01_adding_noise.py`).

# %%
import numpy as np

import edudiff as ed
from edudiff import plot
from edudiff.data import shapes


def figure_of_noise(images, schedule, times):
    """One row a picture, one column a time: the same noise, more and more of it."""
    noise = ed.forward.standard_normal(ed.forward.streams(0, len(images)), images.shape, like=images)  # (B, H, W, C)
    rows = {}
    for i in range(len(images)):
        x0, e = images[i : i + 1], noise[i : i + 1]  # (1, H, W, C)
        rows[f"hand {i}"] = np.concatenate([ed.forward.add_noise(x0, *schedule(t), e) for t in times])
    captions = {f"hand {len(images) - 1}": [f"t = {t:.2f}" for t in times]}
    return plot.rows(rows, captions, columns=len(times), title=f"{schedule.name} schedule")


# %% [markdown]
# ## Four schedules
#
# All of them begin at the picture and end at noise, but not in the same way:
#
# - `cosine` and `ddpm_linear` keep $\alpha^2 + \sigma^2 = 1$, so that `x` keeps its size (*variance preserving*);
# - `log_linear` never shrinks the picture and drowns it in noise instead (*variance exploding*);
# - `flow` walks on the straight line from the picture to the noise.
#
# What a denoiser can know depends on the *ratio* alone, so we compare the logarithm of $\alpha^2 / \sigma^2$, the
# signal-to-noise ratio. A schedule is only a way to visit the same noise levels at different speeds.
#
# Not all end at pure noise: `cosine` with its default stretch of 1.008 leaves `alpha = 0.0125` of the picture at t = 1.


# %%
def table_of_schedules(times):
    """Lines of text: alpha, sigma and log SNR of each schedule."""
    made = (ed.schedule.cosine(), ed.schedule.ddpm_linear(), ed.schedule.log_linear(), ed.schedule.flow())
    lines = [f"{'':12}" + "".join(f"{f't = {t:.2f}':^24}" for t in times)]
    for schedule in made:
        cells = []
        for t in times:
            alpha, sigma = schedule(t)
            cells.append(f"{alpha:6.3f} {sigma:7.3f} {schedule.log_snr(t):8.2f} ")
        lines.append(f"{schedule.name:12}" + "".join(cells))
    return "\n".join(lines)


# %% [markdown]
# ## A check that can fail
#
# If `x0` has mean 0 and variance `v`, then `x` has variance $\alpha^2 v + \sigma^2$: independent variances add. The
# function measures it on many pictures. Change `sigma` to `sigma**2` in `edudiff/forward.py` and run it again.
#
# **Step through this.** Put a breakpoint on the line in `add_noise` that returns, and look at the shapes of
# `per_picture(alpha, ...)` and `x0`. Why is the one (B, 1, 1, 1) when `alpha` is an array?


# %%
def measured_variances(schedule, times, count):
    """Pairs (variance of x measured on `count` random pictures, variance that the formula says)."""
    rng = np.random.default_rng(0)
    x0 = rng.uniform(-1, 1, (count, 8, 8, 1))  # (B, H, W, C), variance 1/3
    noise = ed.forward.standard_normal(rng, x0.shape)  # (B, H, W, C)
    pairs = []
    for t in times:
        alpha, sigma = schedule(t)
        pairs.append((float(ed.forward.add_noise(x0, alpha, sigma, noise).var()), alpha**2 / 3 + sigma**2))
    return pairs


# %% [markdown]
# ## Questions
#
# 1. At which `t` can *you* no longer count the fingers? Is it the same for every hand?
# 2. `flow` has `alpha = 0` at t = 1. What can the best denoiser answer there?
# 3. Why is the noise drawn from one random stream for each picture, and not from one for the whole batch?
#
# <details><summary>Answers</summary>
#
# 1. Near t = 0.5 for the cosine schedule, where signal and noise are equal; it varies, for the eye averages over pixels
#    just as a denoiser does.
# 2. `x` says nothing about `x0`, so the best answer is the mean of all training pictures.
# 3. So that picture 7 is the same in a batch of 8 and in a batch of 64: `edudiff.forward.streams`.
#
# </details>


# %%
def main(fast=False):
    """The whole lesson; `fast` with fewer pictures. Returns the figures."""
    images = shapes.hands(2 if fast else 4, size=20, rng=np.random.default_rng(0))
    times = np.linspace(0, 1, 6 if fast else 11)
    print(table_of_schedules([0.0, 0.25, 0.5, 0.75, 1.0]))
    for measured, expected in measured_variances(ed.schedule.cosine(), [0.0, 0.5, 1.0], 200 if fast else 2000):
        print(f"variance of x: measured {measured:.4f}, alpha**2 / 3 + sigma**2 = {expected:.4f}")
    return [figure_of_noise(images, schedule, times) for schedule in (ed.schedule.cosine(), ed.schedule.flow())]


# %%
if __name__ == "__main__":
    for number, figure in enumerate(main(), 1):
        figure.savefig(f"01_adding_noise_{number}.png", dpi=100)
        print(f"wrote 01_adding_noise_{number}.png")
