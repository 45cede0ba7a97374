"""Records what PyTorch's layers answer, forwards and backwards: writes torch_layers.npz beside this file.

Run once, in an environment with PyTorch; the tests that read the file need none. All arrays are in the layout of
edudiff: images (B, H, W, C), windows (size, size, C, D), matrices (C, D). Each case `name` has `name/in0`, ..., the
inputs in the order of the edudiff layer; `name/out`; `name/dout`, a random gradient; `name/grad0`, ..., the gradients.
"""

from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

FILE = Path(__file__).with_name("torch_layers.npz")
MODES = {"zero": "constant", "circular": "circular", "reflect": "reflect"}


def first(x):
    """(B, H, W, C) -> (B, C, H, W), and back with `last`."""
    return x.permute(0, 3, 1, 2)


def last(x):
    return x.permute(0, 2, 3, 1)


def conv(padding, stride):
    def run(x, w, b):
        r = w.shape[0] // 2
        padded = F.pad(first(x), (r, r, r, r), mode=MODES[padding])
        return last(F.conv2d(padded, w.permute(3, 2, 0, 1), b, stride))

    return run


def conv_transpose(x, w, b):
    """Stride 2, to 6 x 5 pixels."""
    return last(F.conv_transpose2d(first(x), w.permute(3, 2, 0, 1), b, 2, padding=1, output_padding=(1, 0)))


def upsample(mode):
    return lambda x: last(F.interpolate(first(x), scale_factor=2, mode=mode))


def attention(heads):
    def run(x, w_in, b_in, w_out, b_out):
        tokens = x.reshape(len(x), -1, x.shape[3]).swapaxes(0, 1)  # (T, B, C)
        out, _ = F.multi_head_attention_forward(
            tokens, tokens, tokens, x.shape[3], heads, w_in.T, b_in, None, None, False, 0.0, w_out.T, b_out
        )
        return out.swapaxes(0, 1).reshape(x.shape)

    return run


def cases():
    """{name: (function, shapes of its inputs)}."""
    yield from {
        f"conv_{size}_{padding}_{stride}": (conv(padding, stride), [(2, 5, 6, 3), (size, size, 3, 4), (4,)])
        for size in (1, 3, 5)
        for padding in MODES
        for stride in (1, 2)
    }.items()
    yield "conv_transpose", (conv_transpose, [(2, 3, 3, 4), (3, 3, 3, 4), (3,)])
    yield "max_pool", (lambda x: last(F.max_pool2d(first(x), 2, ceil_mode=True)), [(2, 5, 6, 3)])
    pool = {"ceil_mode": True, "count_include_pad": False}
    yield "average_pool", (lambda x: last(F.avg_pool2d(first(x), 2, **pool)), [(2, 5, 6, 3)])
    yield "nearest", (upsample("nearest"), [(2, 3, 4, 3)])
    yield "bilinear", (upsample("bilinear"), [(2, 3, 4, 3)])
    yield "group_norm", (lambda x, w, b: last(F.group_norm(first(x), 2, w, b)), [(2, 4, 5, 6), (6,), (6,)])
    yield "dense", (lambda x, w, b: F.linear(x, w.T, b), [(5, 3), (3, 4), (4,)])
    yield "relu", (F.relu, [(4, 5)])
    yield "silu", (F.silu, [(4, 5)])
    yield "gelu", (lambda x: F.gelu(x, approximate="tanh"), [(4, 5)])
    yield "attention_1", (attention(1), [(2, 3, 4, 6), (6, 18), (18,), (6, 6), (6,)])
    yield "attention_3", (attention(3), [(2, 3, 4, 6), (6, 18), (18,), (6, 6), (6,)])


def optimizers(record, rng):
    """Five steps of Adam, and of AdamW, on fixed gradients."""
    record["adam/start"] = rng.standard_normal(7).astype(np.float32)
    record["adam/gradients"] = rng.standard_normal((5, 7)).astype(np.float32)
    for name, make in {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}.items():
        p = torch.tensor(record["adam/start"], requires_grad=True)
        optimizer = make([p], lr=0.05, betas=(0.9, 0.99), **({"weight_decay": 0.3} if name == "adamw" else {}))
        for gradient in record["adam/gradients"]:
            p.grad = torch.tensor(gradient)
            optimizer.step()
        record[f"{name}/end"] = p.detach().numpy()


def main():
    rng = np.random.default_rng(0)
    record = {"torch": np.array(torch.__version__)}
    for name, (function, shapes) in cases():
        inputs = [torch.tensor(rng.standard_normal(s).astype(np.float32), requires_grad=True) for s in shapes]
        out = function(*inputs)
        dout = torch.tensor(rng.standard_normal(tuple(out.shape)).astype(np.float32))
        out.backward(dout)
        record |= {f"{name}/in{i}": value.detach().numpy() for i, value in enumerate(inputs)}
        record |= {f"{name}/grad{i}": value.grad.numpy() for i, value in enumerate(inputs)}
        record |= {f"{name}/out": out.detach().numpy(), f"{name}/dout": dout.numpy()}
    optimizers(record, rng)
    np.savez_compressed(FILE, **record)
    print(f"{FILE}: {FILE.stat().st_size} bytes, {len(record)} arrays")


if __name__ == "__main__":
    main()
