# %% [markdown]
# # 0. The whole story
#
# A perfectly trained diffusion model would only copy its training images. Trained ones invent. This lesson shows both,
# and why, with the five files of the page alone: `schedule`, `forward`, `reverse`, `scores`, `convnet`. Nothing in them
# is compiled, so a debugger stops at every line.

# %%
import os
import sys

import numpy as np

import edudiff as ed
from edudiff import plot
from edudiff.data import shapes

FAST = bool(os.environ.get("EDUDIFF_FAST")) or sys.platform == "emscripten"  # or True: everything small

# %% [markdown]
# **Noise.** `x = alpha * x0 + sigma * noise`: at time 0 the image, at time 1 noise. A denoiser is any function
# `denoise(x, alpha, sigma)` that guesses `x0`; the reverse process asks it again and again, with less noise each time.
#
# **Step through this.** Put a breakpoint in `ddim` (in `edudiff/reverse.py`), and look at `x0_hat` in the first step,
# in the tenth and in the last.

# %%
schedule = ed.schedule.cosine()  # alpha, sigma = schedule(t)
images = shapes.hands(40 if FAST else 100, size=14, rng=np.random.default_rng(0))  # (N, H, W, 1)
noise = np.random.default_rng(0).standard_normal(images[:1].shape)  # (1, H, W, 1)
for t in (0, 0.25, 0.5, 0.75, 1):
    print(f"t = {t:4}: standard deviation {ed.forward.add_noise(images[:1], *schedule(t), noise).std():.2f}")

# %% [markdown]
# **The perfect denoiser copies; the best that sees a small window invents.** The ideal score weighs all training images
# by how well they fit, and draws one of them. The equivariant local score (ELS) does the same for the window around
# each pixel, with the training windows of all places: what fits together locally may be new as a whole. Its window
# shrinks with the noise.
#
# **Step through this.** Put a breakpoint in `posterior_mean` (in `edudiff/scores.py`), the formula of both, and look at
# `likelihoods`: how many of the M centers still count when `sigma` is large, and when it is small?
#
# **Change this and see it fail.** In `window`, below, change `9 if sigma > alpha else 5 if sigma > alpha / 2 else 3` to
# `27`, and run the lesson again: ELS sees the whole image, and copies, as the ideal score does. What becomes of r?


# %%
def window(alpha, sigma):
    """The side of the window of ELS at one noise level."""
    return 9 if sigma > alpha else 5 if sigma > alpha / 2 else 3


# %% [markdown]
# **A network is trained.** A pixel of its answer sees 9 x 9 pixels, through the same weights everywhere: it *cannot* be
# the ideal score, and the best that it can be is ELS. So a formula that was never trained predicts what it will draw.
#
# **Step through this.** Put a breakpoint in `denoising_loss` (in `edudiff/convnet.py`), follow `backward` once around,
# and compare the terms that are numbered in `conv_backward` with the lines that compute them.

# %%
net = ed.convnet.init(np.random.default_rng(0), sigma_data=float(np.sqrt((images**2).mean())))
steps = 100 if FAST else 2000
for state in ed.convnet.train(net, images, schedule, rng=np.random.default_rng(1), steps=steps):
    if state.step % (steps // 5) == 0:
        print(f"step {state.step:4}: loss {state.loss:.3f}")

# %% [markdown]
# **The same noise through all three**, and how alike network and formula are: Pearson's r, pixel by pixel. The window,
# the ideal score and ELS are in Kamb & Ganguli 2024 ([arXiv 2412.20292](https://arxiv.org/abs/2412.20292), eq. 3-10).

# %%
x = ed.reverse.start(schedule, (3 if FAST else 32, 14, 14, 1), np.random.default_rng(2), like=images)  # (B, H, W, 1)
denoisers = {"network": state.ema, "ELS": ed.scores.els(images, window), "ideal": ed.scores.ideal(images)}
drawn = {name: ed.reverse.sample(d, schedule, x, schedule.times(20)) for name, d in denoisers.items()}
pairs = zip(drawn["network"], drawn["ELS"], strict=True)
r = np.median([np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in pairs])
copies = np.abs(drawn["ideal"][:, None] - images).max((2, 3, 4)).min(1)  # (B,), distance to the nearest image
print(f"network and ELS: median r = {r:.3f}; the ideal score's images are training images up to {copies.max():.3f}")
plot.present(plot.rows(drawn, columns=8, title="each column is the same noise"), "00_the_whole_story")
