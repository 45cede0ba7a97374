# %% [markdown]
# # 10. Training the denoiser
#
# A network, its gradients, a training set: what is missing is the loop. This lesson writes it by hand for a network
# that has a known best answer, then trains the convolutional denoiser with the package's generator, watches pictures
# appear, and asks how far from the best possible it ended.

# %%
import math

import numpy as np
from matplotlib.figure import Figure

import edudiff as ed
from edudiff import plot
from edudiff.data import shapes, toys
from edudiff.support.random import streams

FAST = False

# %% [markdown]
# ## The loop, by hand
#
# Pick clean data, pick noise, mix them, ask the network, and take the squared error to the clean data. Its gradient in
# the answer is $2\,(\hat x_0 - x_0)$ over the number of values. `backward` turns that into gradients of all parameters,
# and each parameter takes a step against its own.
#
# Take the smallest network first: `nn.Linear` with a single noise level, $\hat x_0$ an affine function of `x`. Lesson
# 2 says that training must lead to the best function *of this kind*, and lesson 5 says what that is: the Wiener
# filter. So here is training with a known end. It does not matter that no step ever sees the answer: the noise in the
# target averages out.
#
# **Adam** is the step that everybody takes: the gradient's running mean, divided by the root of the running mean of its
# square. So each parameter moves by about `rate` a step, whatever its scale, slower where the gradient keeps changing
# sign.
#
# **Step through this.** Put a breakpoint in `Adam.step` (in `edudiff/nn/adam.py`) and look at `m / unbias_m` and
# `sqrt(v / unbias_v)` in the first step and in the hundredth. What is their ratio in the first, exactly?


# %%
def towards_the_wiener_filter(fast=False):
    """Prints how far a trained linear network is from the best one; a Figure of its way there."""
    data, (alpha, sigma) = toys.two_moons(300, np.random.default_rng(0)), ed.schedule.cosine()(0.4)  # (N, 2)
    net, best = ed.nn.Linear(2, levels=1, dtype=np.float64), ed.denoisers.Linear.fit(data)
    adam, rng, steps = ed.nn.Adam(net.parameters), np.random.default_rng(1), 400 if fast else 1500
    probe, distances = rng.standard_normal((200, 2)), []  # (200, 2)
    for step in range(steps):
        x0 = data[rng.integers(len(data), size=512)]  # (B, 2)
        x = ed.forward.add_noise(x0, alpha, sigma, rng.standard_normal(x0.shape))  # (B, 2)
        x0_hat, cache = net.forward(x, alpha, sigma)  # (B, 2)
        gradients = net.backward(2 * (x0_hat - x0) / x0.size, cache)
        adam.step(net.parameters, gradients, ed.nn.learning_rate(step, steps, peak=0.03, warmup=20))
        difference = net(probe, alpha, sigma) - best(probe, alpha, sigma)  # (200, 2)
        distances.append(float(np.sqrt((difference**2).mean())))
    print(f"distance to the Wiener filter: {distances[0]:.3f} after one step, {distances[-1]:.4f} after {steps}")
    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axis = figure.subplots()
    axis.loglog(np.arange(1, steps + 1), distances)
    axis.set(xlabel="training step", ylabel="distance to the Wiener filter")
    return figure


# %%
if __name__ == "__main__":
    plot.present(towards_the_wiener_filter(FAST), "10_training_the_denoiser_1")

# %% [markdown]
# ## One network for all noise levels
#
# The real network has to work at every noise level, so each picture of a batch gets a time of its own, and the network
# is told $\log(\sigma/\alpha)$. Two choices matter more than the architecture:
#
# **What the layers answer.** At low noise $\hat x_0$ is nearly $x/\alpha$, and asking the layers for it would make them
# learn the identity. At high noise it is nearly the mean, and asking for the noise, and then dividing by a tiny
# $\alpha$, would blow up every error. So the answer is mixed: $\hat x_0 = c_{skip}\,x + c_{out}\,\text{layers}(x /
# \text{size of } x)$, with factors such that the layers' target has unit size at every level (Karras et al. 2022).
#
# **How the levels are weighed.** The squared error of $\hat x_0$ is large at high noise, where nobody can do much, and
# tiny at low noise. Dividing it by $c_{out}^2$ makes each level count as much as the layers can do about it.
#
# The table shows $c_{skip}$, $c_{out}$, and the size of what the layers are asked for, measured: near 1 everywhere.


# %%
def unit_targets(fast=False):
    """Prints the factors at five noise levels and the measured size of the layers' target; returns the sizes."""
    images = shapes.strokes(100 if fast else 1000, size=14, rng=np.random.default_rng(0))  # (N, H, W, C)
    scale, rng, sizes = math.sqrt(float((images**2).mean())), np.random.default_rng(1), []
    print("   t    c_skip  c_out   size of the layers' target")
    for t in (0.05, 0.25, 0.5, 0.75, 0.95):
        alpha, sigma = ed.schedule.cosine()(t)
        levels = np.array([alpha]), np.array([sigma])  # (1,) each
        c_skip, c_out, *_ = (float(c[0]) for c in ed.nn.noise_level.preconditioning(*levels, scale))
        x = ed.forward.add_noise(images, alpha, sigma, rng.standard_normal(images.shape))  # (N, H, W, C)
        sizes.append(math.sqrt(float((((images - c_skip * x) / c_out) ** 2).mean())))
        print(f"{t:5.2f}  {c_skip:7.3f} {c_out:6.3f}   {sizes[-1]:.3f}")
    return sizes


# %%
if __name__ == "__main__":
    unit_targets(FAST)

# %% [markdown]
# ## Training, watched
#
# `edudiff.nn.train` is a generator: each `next` is one step of gradient descent, and yields a `State` with the network,
# its running *average*, the loss and more. The average of the weights over the last thousand or so steps draws better
# pictures than the last weights, which still jump about with the noise of the batches.
#
# The loop below draws the same noise through the averaged network at a few moments. At first only noise comes
# out, then dim pieces of strokes, then clean ones. This is one of the two lessons that train for a minute or two.
#
# **Step through this.** Put a breakpoint in `denoising_loss` (in `edudiff/nn/loss.py`), in `part`, and look at `error`
# and `weight[some]`. Which pictures of the batch have the largest error, and which count most? (The parts run in
# threads, where pdb in a terminal does not stop: there, begin the command with `taskset -c 0`, for one core.)


# %%
def train(images, fast=False):
    """Train the network of this lesson: its last `State`, and {step: pictures drawn after that step}."""
    scale = math.sqrt(float((images**2).mean()))
    net = ed.nn.ResNet(8 if fast else 32, 2, sigma_data=scale, rng=np.random.default_rng(1))
    schedule, steps = ed.schedule.cosine(), 40 if fast else 1600
    moments, drawn = {round(steps * share) for share in (0.02, 0.06, 0.2, 0.5, 1)}, {}
    x = ed.reverse.start(schedule, (8, *images.shape[1:]), streams(0, 8), like=images)  # (B, H, W, C)
    settings = {"batch": 32, "rate": 3e-3}
    for state in ed.nn.train(net, images, schedule, np.random.default_rng(2), steps, **settings):
        if state.step in moments:
            drawn[state.step] = ed.reverse.sample(state.ema, schedule, x, schedule.times(20))  # (B, H, W, C)
            print(f"step {state.step:5}: loss {np.mean(state.losses[-20:]):.3f}, {state.seconds:.0f} s")
    return state, drawn


# %%
def training_images(fast=False):
    """The training set, (N, H, W, C)."""
    return shapes.strokes(100 if fast else 500, size=14, rng=np.random.default_rng(0))


# %%
if __name__ == "__main__":
    images = training_images(FAST)
    trained, by_step = train(images, FAST)
    shown = {f"step {step}": batch for step, batch in by_step.items()}
    plot.present(plot.rows(shown, title="each column is the same noise"), "10_training_the_denoiser_2")
    plot.present(plot.history(trained), "10_training_the_denoiser_3")

# %% [markdown]
# ## How good could it be?
#
# The loss does not go to zero, and should not: nobody can know what the noise has hidden. So what is a good loss? The
# closed forms tell. The network sees windows of nine pixels and does the same thing everywhere, so at no noise level
# can its error on the training set fall below that of ELS with window 9. The ideal denoiser is the floor for
# everybody.
#
# Read the table from left to right. At high noise the network is close to ELS, and even the *linear* denoiser beats
# both: it sees the whole picture and knows every place, and that is what counts there. At low noise the network beats
# the linear one and stays far above ELS: there the formula knows every training window by heart, and a network with
# some 36,000 weights, trained for a minute, does not. Longer training and more channels close the gap from above.


# %%
def against_the_formulas(net, images, fast=False):
    """Prints the denoising error of network and formulas at four noise levels; returns {name: errors}."""
    count, rng = 16 if fast else 64, np.random.default_rng(5)
    x0 = images[rng.integers(len(images), size=count)].astype("float64")  # (B, H, W, C)
    noise = rng.standard_normal(x0.shape)  # (B, H, W, C)
    window = net.receptive_field
    denoisers = {
        "linear": ed.denoisers.Linear.fit(images),
        "network": net,
        f"ELS {window}": ed.denoisers.Patch(images, window),
        "ideal": ed.denoisers.Ideal(images),
    }
    times = (0.8, 0.6, 0.4, 0.2)
    print(f"{'':8}" + "".join(f"{f't = {t}':>10}" for t in times))
    table = {}
    for name, denoise in denoisers.items():
        table[name] = []
        for t in times:
            level = ed.schedule.cosine()(t)
            x0_hat = denoise(ed.forward.add_noise(x0, *level, noise), *level)  # (B, H, W, C)
            table[name].append(float(((x0_hat - x0) ** 2).mean()))
        print(f"{name:8}" + "".join(f"{e:10.4f}" for e in table[name]))
    return table


# %%
if __name__ == "__main__":
    against_the_formulas(trained.ema, images, FAST)

# %% [markdown]
# ## Questions
#
# 1. The target $x_0$ is noisy: the same `x` can come from many pictures. Why does training find the mean of them, and
#    what would it find with the absolute instead of the squared error?
# 2. The times of a batch are *stratified*: one in each of as many equal slices of [0, 1]. What is gained?
# 3. The loss curve looks flat after half the steps. How would you find out whether the pictures still get better?
# 4. Somebody reads the loss of two runs with different `weighting` and says that one is better. What do you say?
# 5. On a training set of two pictures, what does the network draw after endless training?
#
# <details><summary>Answers</summary>
#
# 1. The mean is what minimizes a sum of squares. The absolute error finds the median, pixel by pixel; that is no
#    posterior mean, and Tweedie's formula does not hold for it.
# 2. Every batch has the whole range of noise levels, so its loss varies less for the same work.
# 3. Draw the same noise at both moments and compare, or measure the errors by noise level as above: the mean over all
#    levels hides that low noise still improves.
# 4. The two numbers are sums with different weights. Compare errors at fixed noise levels, or pictures.
# 5. If its windows are smaller than the picture, still mosaics of the two: the best that it can be is ELS, not the
#    ideal denoiser.
#
# </details>


# %%
def main(fast=False):
    """The whole lesson; `fast` with a tiny network and few steps. Returns the figures."""
    images = training_images(fast)
    first = towards_the_wiener_filter(fast)
    unit_targets(fast)
    state, drawn = train(images, fast)
    against_the_formulas(state.ema, images, fast)
    return [first, plot.rows({f"step {step}": batch for step, batch in drawn.items()}), plot.history(state)]
