"""What the networks for pictures are made of: a convolution block steered by the noise level, and attention."""

from edudiff.nn.settings import whole

ACTIVATIONS = ("silu", "gelu", "relu")


def block(run, p, config, name, x, cond, rng=None):
    """Convolution, group normalization if any, scale and shift by the condition, activation, dropout if any.

    `run`: the module of the layers. `p`: parameters, of which those that begin with `name` are used. `x`: (B, H, W, C).
    `cond`: (B, S), see `edudiff.nn.condition`. `rng`: see `dropout`. Returns out (B, H, W, D) and the cache.
    """
    y, cache_conv = run.conv(x, p[f"{name}.w"], p[f"{name}.b"], config["padding"])  # (B, H, W, D)
    cache_norm = None
    if config["groups"]:
        y, cache_norm = run.group_norm(y, p[f"{name}.norm.w"], p[f"{name}.norm.b"], config["groups"])
    both, cache_cond = run.dense(cond, p[f"{name}.cond.w"], p[f"{name}.cond.b"])  # (B, 2 * D)
    scale, shift = both[:, : both.shape[1] // 2], both[:, both.shape[1] // 2 :]  # (B, D) each
    y, cache_modulate = run.modulate(y, scale, shift)
    y, cache_act = getattr(run, config["activation"])(y)
    y, mask = run.dropout(y, config["dropout"], rng)
    return y, (cache_conv, cache_norm, cache_cond, cache_modulate, cache_act, mask)


def block_backward(run, config, name, dy, cache, gradients, need_dx=True):
    """`block`, backwards: returns dx (B, H, W, C) or None and dsteer (B, S), writes the rest into `gradients`."""
    cache_conv, cache_norm, cache_cond, cache_modulate, cache_act, mask = cache
    dy = run.dropout_backward(dy, mask)
    dy = getattr(run, config["activation"] + "_backward")(dy, cache_act)
    dy, dscale, dshift = run.modulate_backward(dy, cache_modulate)
    dboth, _ = run.concatenate(dscale, dshift)  # (B, 2 * D)
    dcond, gradients[f"{name}.cond.w"], gradients[f"{name}.cond.b"] = run.dense_backward(dboth, cache_cond)
    if cache_norm is not None:
        dy, gradients[f"{name}.norm.w"], gradients[f"{name}.norm.b"] = run.group_norm_backward(dy, cache_norm)
    dx, gradients[f"{name}.w"], gradients[f"{name}.b"] = run.conv_backward(dy, cache_conv, need_dx=need_dx)
    return dx, dcond


def attend(run, p, config, name, x):
    """x plus its self-attention: (B, H, W, C) -> (B, H, W, C), and the cache."""
    arrays = (p[f"{name}.{part}"] for part in ("in.w", "in.b", "out.w", "out.b"))
    y, cache = run.attention(x, *arrays, config["heads"])  # (B, H, W, C)
    return run.add(x, y), cache


def attend_backward(run, name, dy, cache, gradients):
    """`attend`, backwards: returns dx (B, H, W, C), writes the rest into `gradients`."""
    dx, *rest = run.attention_backward(dy, cache)  # (B, H, W, C)
    for part, gradient in zip(("in.w", "in.b", "out.w", "out.b"), rest, strict=True):
        gradients[f"{name}.{part}"] = gradient
    return run.add(dy, dx)  # 1. around the attention, 2. through it


def block_parameters(make, config, name, seen, channels, cond):
    """The initial arrays of a 3x3 `block` from `seen` channels to `channels`; scale and shift start at zero."""
    make.layer(name, (3, 3, seen, channels))
    if config["groups"]:
        make.constant(f"{name}.norm.w", channels, 1.0)
        make.constant(f"{name}.norm.b", channels, 0.0)
    make.layer(f"{name}.cond", (cond, 2 * channels), 0.0)


def attend_parameters(make, name, channels):
    """The initial arrays of `attend`; its answer starts at zero."""
    make.layer(f"{name}.in", (channels, 3 * channels), 1.0)
    make.layer(f"{name}.out", (channels, channels), 0.0)


def check_divisors(config, widths):
    """Raise ValueError unless the groups of normalization and the heads of attention divide all channel counts."""
    for name, least in (("groups", 0), ("heads", 1)):
        config[name] = whole(config[name], name, least)
        for channels in widths:
            if config[name] and channels % config[name]:
                raise ValueError(f"{name} is {config[name]}, expected a divisor of {channels}, the number of channels")
