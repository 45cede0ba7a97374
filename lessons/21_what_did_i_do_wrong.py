# %% [markdown]
# # 21. What did I do wrong?
#
# The samples are gray, or noisy, or all alike, and no line of the code looks wrong. This lesson makes the usual
# mistakes on purpose, each of them one line, and shows what they look like: symptom, picture, cause, and the check that
# finds it. `ed.compare.diagnose` runs all the checks on a denoiser of yours.

# %%
import os
import sys
from collections import deque

import numpy as np

import edudiff as ed
from edudiff import nn, plot
from edudiff.compare import diagnose, mistakes
from edudiff.data import shapes
from edudiff.support.random import streams

FAST = bool(os.environ.get("EDUDIFF_FAST")) or sys.platform == "emscripten"  # or True: everything small

# %% [markdown]
# ## Something that is right
#
# A small network, trained on drawn strokes. Everything below is this network, with one line changed somewhere.


# %%
images = shapes.strokes(64, size=12, rng=np.random.default_rng(0))  # (N, H, W, C)
schedule, count = ed.schedule.cosine(), 8
x = ed.reverse.start(schedule, (count, *images.shape[1:]), streams(0, count), images)  # (B, H, W, C)
times = schedule.times(20)


def trained(images, steps=250 if FAST else 1500, **settings):
    net = nn.ResNet(channels=16, depth=2, rng=np.random.default_rng(0))
    training = nn.train(net, images, schedule, np.random.default_rng(1), steps, batch=32, **settings)
    return deque(training, maxlen=1).pop()  # the last state


state = trained(images)
right = state.ema
print(diagnose(right, images, schedule, sampler=ed.reverse.sample, state=state))

# %% [markdown]
# Nothing looks wrong. The table is what the words rest on: the mean squared error of the network's answers to noisy
# training images, beside those of three formulas. The ideal denoiser knows every training image, so its error is the
# smallest there can be on these; "simplest" moves each pixel towards the mean color, by the best share, and knows
# nothing else. Whoever is worse than that at some noise level has learned less than nothing there.
#
# ## Mistakes in the denoiser
#
# Each row below is drawn from the same noise. Look at a row, and say what is wrong before you read on.


# %%
def drawn(denoise, schedule=schedule, sample=ed.reverse.sample):
    """What comes of it, (B, H, W, C); a mistake may well end in numbers that are too large to show."""
    with np.errstate(all="ignore"):
        return np.clip(np.nan_to_num(sample(denoise, schedule, x, times)), -1, 1)


pictures, told = {"right": drawn(right)}, {}
for name, break_it in mistakes.DENOISERS.items():
    wrong = break_it(right)
    told[name] = diagnose(wrong, images, schedule)
    try:
        pictures[name] = drawn(wrong)
    except ValueError as error:
        print(f"{name}: the loop refuses it, {error}")
plot.present(
    plot.rows(pictures, columns=count, title="the same noise, the same network, one line wrong"),
    "21_what_did_i_do_wrong_1",
)
for name, found in told.items():
    print(f"made: {name}\nfound: {found.findings[0] if found.findings else 'nothing'}\n")

# %% [markdown]
# How can a mistake be told by its name? **By undoing it.** The best answer to a noisy image cannot be improved by
# taking it for something else. So `diagnose` takes the answer for the noise, for the score, for the velocity, asks
# about the same image under another noise level, in another range, and looks at the error. If one of these leaves much
# less of it, that is what was done wrong. The list is `edudiff/compare/repairs.py`, and the mistakes themselves, one
# line each, are `edudiff/compare/mistakes.py`.
#
# The others are told by a property that every denoiser has:
#
# | symptom | cause | the check |
# |---|---|---|
# | samples are noise, or explode | noise, score or velocity taken for x0 | error after the conversion |
# | samples are the negative of an image, or noise | wrong sign | error of the negative |
# | samples are dark or flat | the signal was not divided out: alpha * x0_hat | error after the division by alpha |
# | samples stay noisy | sigma for sigma**2: a missing square root | error at the level of sqrt(sigma) |
# | samples are noise | alpha and sigma exchanged: time reversed | error with the two exchanged |
# | samples are gray and pale | pixels in [0, 1] where [-1, 1] is meant | error in the other range |
# | details get lost, or break up | x multiplied by c_in twice, or never | error after the division by c_in |
# | images lie on their side, or dissolve | axes swapped by a reshape | error after swapping them back |
# | all samples of a batch look alike | the batch's axis was averaged or broadcast | an image alone, and in a batch |
# | large areas of one value | x0_hat clipped to a range that the images do not have | pixels piled up at a bound |
# | all noise levels treated alike | sigma never reaches the network | the same x at two levels |
# | the same seed, another picture | dropout left on, noise inside the denoiser | the same question twice |
# | slow, or a float64 result | a float64 array on the way | the dtype of the answer |
#
# **Step through this.** Put a breakpoint in `of_mistakes` (in `edudiff/compare/symptoms.py`), diagnose
# `mistakes.DENOISERS["images in [0, 1]"](right)`, and look at `left` for each mistake: how much of the error is left if
# that one is undone, at each noise level?
#
# ## Mistakes in the schedule
#
# `alpha_bar` is the product of 1 - beta over all steps so far. x holds sqrt(alpha_bar) of the image, and noise with the
# standard deviation sqrt(1 - alpha_bar). Three ways to forget that, and one to count time from the wrong end:


# %%
for name, wrong in mistakes.SCHEDULES.items():
    found = diagnose(ed.denoisers.Ideal(images), images, wrong)
    print(f"made: {name}\nfound: {found.findings[0] if found.findings else 'nothing'}\n")

# %% [markdown]
# ## Mistakes in the loop
#
# A loop is tried with a denoiser whose right end is known: one that answers the same image whatever it is asked. The
# loop must end at this image, it must ask from much noise to little, and the noise level that it names must be that of
# the x that it passes.


# %%
pictures = {"right": drawn(right)}
for name, loop in mistakes.SAMPLERS.items():
    pictures[name] = drawn(right, sample=loop)
    found = diagnose(right, images, schedule, sampler=loop)
    print(f"made: {name}\nfound: {found.findings[0] if found.findings else 'nothing'}\n")
plot.present(plot.rows(pictures, columns=count, title="the right network in a wrong loop"), "21_what_did_i_do_wrong_2")

# %% [markdown]
# ## Mistakes in the training
#
# Three that no look at the finished network's code can find: it was trained on pixels in [0, 1] and draws in [-1, 1];
# the learning rate was too large; and the moving average of the weights was kept, but never used. The last is no
# disaster here: look at the two errors that are printed.


# %%
gray = trained((images + 1) / 2)
fast = trained(images, steps=100, rate=0.08, decay=1.0)
pictures = {
    "right": drawn(right),
    "trained on [0, 1]": drawn(gray.ema),
    "learning rate too large": drawn(fast.ema),
    "average never used": drawn(state.net),
}
for name, denoise, how in (
    ("images in [0, 1]", gray.ema, gray),
    ("learning rate too large", fast.ema, fast),
    ("average never used", state.net, state),
):
    found = diagnose(denoise, images, schedule, state=how)
    print(f"made: {name}\nfound: {found.findings[0] if found.findings else 'nothing'}\n")
plot.present(plot.rows(pictures, columns=count, title="mistakes in training"), "21_what_did_i_do_wrong_3")

# %% [markdown]
# ## Questions
#
# 1. A denoiser answers $\alpha \hat x_0$ instead of $\hat x_0$. At which noise levels does that show, and what do its
#    samples look like?
# 2. Why is a missing square root hardly noticed with the ideal denoiser of few training images?
# 3. The moving average was never used, and the samples look as good. When does it matter?
# 4. Undoing one mistake leaves more than half of the error, another nothing. Which of the two is named with more right?
# 5. A denoiser whose answer is always moved by one pixel: what does `diagnose` say, and what would it need to say more?
#
# <details><summary>Answers</summary>
#
# 1. Where alpha is small, that is at much noise: the answer is too flat there. Each step then takes the missing signal
#    for noise and carries it on, so the samples are grainy.
# 2. It recognizes the image at almost every noise level; whether it believes in a little more noise or less, the
#    nearest image is the same.
# 3. While the learning rate is high: the weights then jump around their mean, and the average takes that away. At the
#    end of a cosine they stand still, and both are the same.
# 4. Neither: that undoing helps at all is what tells. How much is left says how far from right the denoiser was.
# 5. That its error is large, at little noise most of all. It would need a repair that moves the answer back.
#
# </details>
#
# **Change this and see it fail.** In `edudiff/compare/symptoms.py`, change `HELPS = 0.7` to `HELPS = 0.02`, and run the
# lesson again: a mistake is now named only if undoing it takes nearly all of the error away. Which mistakes are still
# found, and what is said of the others? Then change it back.

# %% [markdown]
# ## Sources
#
# - [Salimans & Ho 2022](https://arxiv.org/abs/2202.00512), appendix D: what a network may answer, and how one follows
#   from the other.
# - [Karras et al. 2022](https://arxiv.org/abs/2206.00364), table 1: c_in and its like.
# - That no function of the best answer has a smaller squared error is what a conditional expectation is.
