"""From a scale to the next coarser one and back, in the ways that a `UNet` can choose from."""

POOLINGS = ("max", "average", "strided", "none")
UPSAMPLINGS = ("nearest", "bilinear", "transposed")


def pool(run, p, config, name, h):
    """2x2 pixels become one: (B, H, W, C) -> (B, h, w, C), h = ceil(H / 2), and the cache; "none" leaves all pixels."""
    kind = config["pooling"]
    if kind == "none":
        return h, None
    if kind == "strided":
        return run.conv(h, p[f"{name}.w"], p[f"{name}.b"], config["padding"], stride=2)
    return getattr(run, f"{kind}_pool")(h)


def pool_backward(run, config, name, dh, cache, gradients):
    """`pool`, backwards: returns dh (B, H, W, C), writes the rest into `gradients`."""
    kind = config["pooling"]
    if kind == "none":
        return dh
    if kind == "strided":
        dh, gradients[f"{name}.w"], gradients[f"{name}.b"] = run.conv_backward(dh, cache)
        return dh
    return getattr(run, f"{kind}_pool_backward")(dh, cache)


def upsample(run, p, config, name, h, shape):
    """One pixel becomes 2x2 again: (B, h, w, C) -> (B, H, W, C) with (H, W) = `shape`, and the cache."""
    kind = config["upsampling"]
    if config["pooling"] == "none":
        return h, None
    if kind == "transposed":
        return run.conv_transpose(h, p[f"{name}.w"], p[f"{name}.b"], shape, config["padding"])
    if kind == "bilinear":
        return run.bilinear(h, shape, config["padding"])
    return run.nearest(h, shape)


def upsample_backward(run, config, name, dh, cache, gradients):
    """`rise`, backwards: returns dh (B, h, w, C), writes the rest into `gradients`."""
    kind = config["upsampling"]
    if config["pooling"] == "none":
        return dh
    if kind == "transposed":
        dh, gradients[f"{name}.w"], gradients[f"{name}.b"] = run.conv_transpose_backward(dh, cache)
        return dh
    return getattr(run, f"{kind}_backward")(dh, cache)


def rescale_parameters(make, config, scale):
    """The initial arrays of the way between the scales `scale` and `scale + 1`, as far as they are learned."""
    fine, coarse = config["channels"][scale : scale + 2]
    if config["pooling"] == "strided":
        make.layer(f"pool{scale}", (3, 3, fine, fine), 1.0)
    if config["pooling"] != "none" and config["upsampling"] == "transposed":
        make.transposed(f"upsample{scale}", coarse)
