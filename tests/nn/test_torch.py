"""Agreement with PyTorch's layers, recorded once by make_torch_fixture.py: 1e-4 in float32, forwards and backwards."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from layer_modules import modules

from edudiff import nn

RECORD = dict(np.load(Path(__file__).with_name("torch_layers.npz")))
NAMES = sorted({key.rsplit("/", 1)[0] for key in RECORD if key.endswith("/dout")})


def layer(module, name):
    """The edudiff layer of a case: forward and backward."""
    if name.startswith("conv_") and name != "conv_transpose":
        _, _, padding, stride = name.split("_")
        return partial(module.conv, padding=padding, stride=int(stride)), module.conv_backward
    settings = {
        "conv_transpose": {"shape": (6, 5)},
        "nearest": {"shape": (6, 8)},
        "bilinear": {"shape": (6, 8)},
        "group_norm": {"groups": 2},
        "attention_1": {"heads": 1},
        "attention_3": {"heads": 3},
    }
    plain = "attention" if name.startswith("attention") else name
    return partial(getattr(module, plain), **settings.get(name, {})), getattr(module, f"{plain}_backward")


@pytest.mark.parametrize("name", NAMES)
def test_layer_agrees_with_pytorch(name):
    inputs = [RECORD[f"{name}/in{i}"] for i in range(9) if f"{name}/in{i}" in RECORD]
    for module in modules():
        forward, backward = layer(module, name)
        out, cache = forward(*inputs)
        np.testing.assert_allclose(out, RECORD[f"{name}/out"], atol=1e-4)
        gradients = backward(RECORD[f"{name}/dout"], cache)
        gradients = gradients if isinstance(gradients, tuple) else (gradients,)
        for i, (gradient, _) in enumerate(zip(gradients, inputs, strict=True)):
            np.testing.assert_allclose(gradient, RECORD[f"{name}/grad{i}"], atol=1e-4)


@pytest.mark.parametrize(("name", "weight_decay"), [("adam", 0.0), ("adamw", 0.3)])
def test_optimizer_agrees_with_pytorch(name, weight_decay):
    p = {"w": RECORD["adam/start"].copy()}
    adam = nn.Adam(p, weight_decay=weight_decay)
    for gradient in RECORD["adam/gradients"]:
        adam.step(p, {"w": gradient}, 0.05)
    np.testing.assert_allclose(p["w"], RECORD[f"{name}/end"], atol=1e-5)
