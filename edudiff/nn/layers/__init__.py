"""The layers, forwards and backwards, as plain functions: the definition that every faster version must equal.

Forward returns `(out, cache)`, backward takes `(dout, cache)`; the cache holds exactly what backward needs. `d` before
a name is the gradient of the loss in it. Images are channels last, (B, H, W, C). Where there is more than one gradient,
they are numbered. The module `compiled` has the same functions, some of them compiled.
"""

from edudiff.nn.layers.activations import (
    dropout,
    dropout_backward,
    gelu,
    gelu_backward,
    relu,
    relu_backward,
    silu,
    silu_backward,
)
from edudiff.nn.layers.affine import (
    dense,
    dense_at_level,
    dense_at_level_backward,
    dense_backward,
    embed,
    embed_backward,
)
from edudiff.nn.layers.convolution import (
    PADDINGS,
    columns,
    conv,
    conv_backward,
    conv_transpose,
    conv_transpose_backward,
)
from edudiff.nn.layers.joining import add, concatenate, concatenate_backward, modulate, modulate_backward
from edudiff.nn.layers.normalization import group_norm, group_norm_backward
from edudiff.nn.layers.polynomials import hermite, hermite_backward
from edudiff.nn.layers.resampling import (
    average_pool,
    average_pool_backward,
    bilinear,
    bilinear_backward,
    max_pool,
    max_pool_backward,
    nearest,
    nearest_backward,
)
from edudiff.nn.layers.self_attention import attention, attention_backward

__all__ = [
    "PADDINGS",
    "add",
    "attention",
    "attention_backward",
    "average_pool",
    "average_pool_backward",
    "bilinear",
    "bilinear_backward",
    "columns",
    "concatenate",
    "concatenate_backward",
    "conv",
    "conv_backward",
    "conv_transpose",
    "conv_transpose_backward",
    "dense",
    "dense_at_level",
    "dense_at_level_backward",
    "dense_backward",
    "dropout",
    "dropout_backward",
    "embed",
    "embed_backward",
    "gelu",
    "gelu_backward",
    "group_norm",
    "group_norm_backward",
    "hermite",
    "hermite_backward",
    "max_pool",
    "max_pool_backward",
    "modulate",
    "modulate_backward",
    "nearest",
    "nearest_backward",
    "relu",
    "relu_backward",
    "silu",
    "silu_backward",
]
