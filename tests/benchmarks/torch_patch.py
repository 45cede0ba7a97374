"""The peer of the benchmarks: the local and the ELS score in plain PyTorch, as a reader of the paper would write them.

Kamb & Ganguli 2024, eq. 7-10, with the zero border of appendix B.2: windows are cut out with `unfold`, all windows of a
region of the noisy picture are compared with all of the same region of a mini-batch of training pictures, and a running
log-sum-exp carries the answer from one mini-batch to the next. Of the nine regions, the middle is compared with the
middle; a row at the upper or lower edge with the same row, a column at the left or right edge with the same column; a
pixel in a corner with the same pixel.

It shares no line with the denoisers of this package, and it is what they are timed against.
"""

import math
import statistics
import time
from typing import Any

import torch
from torch.nn import functional

FORMS = ("product", "convolution", "differences")
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
BLOCK = 2**18  # values of differences held at once, in the form that holds them: the fastest of several
FLOOR = -80.0  # exp of it is nothing beside 1, and still a normal number in float32


class PlainTorch:
    """ELS with zero border, or with `shifts=False` the local score, of the training pictures (N, H, W, C).

    `size`: side of the window. `batch`: training pictures in a mini-batch. `form`: how windows are compared, by
    "product", |q|^2 - 2 q.p + |p|^2 with a matrix product (fast, and wrong in float32 where sigma is small);
    "convolution", the same with the noisy windows as the kernels of a convolution; or "differences", |q - p|^2 as it
    stands. `device`: where PyTorch computes, such as "cuda".
    """

    def __init__(self, images, size, shifts=True, batch=64, form="product", device="cpu"):
        if form not in FORMS:
            raise ValueError(f"form is {form!r}, expected one of {', '.join(FORMS)}")
        self.device = device
        self.images = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous().to(device)  # (N, C, H, W)
        self.size, self.shifts, self.batch, self.form = size, shifts, batch, form

    @torch.inference_mode()
    def __call__(self, x, alpha, sigma):
        """`x`: (B, H, W, C), a NumPy array, as is the answer."""
        x = torch.from_numpy(x).permute(0, 3, 1, 2).contiguous().to(self.device)  # (B, C, H, W)
        places = torch.arange(x[:, 0].numel(), device=self.device).reshape(len(x), 1, *x.shape[2:])  # (B, 1, H, W)
        answer = torch.empty(x[:, 0].numel(), x.shape[1], dtype=x.dtype, device=self.device)  # (B * H * W, C)
        rows, columns = (self._parts(length) for length in x.shape[2:])
        for down, same_row in rows:
            for right, same_column in columns:
                where = grouped(places[:, :, down, right], same_row, same_column)[..., 0]  # (G, q)
                region = self._local if same_row and same_column else self._region
                answer[where] = region(x, alpha, sigma, down, right, same_row, same_column)  # (G, q, C)
        return answer.reshape(*x.shape[:1], *x.shape[2:], -1).cpu().numpy()  # (B, H, W, C)

    def _parts(self, length):
        """Slices of one axis, and whether a place in it is compared with the same place only."""
        radius = self.size // 2
        if not self.shifts or 2 * radius >= length:
            return [(slice(0, length), True)]
        middle = (slice(radius, length - radius), False)
        return [(slice(0, radius), True), middle, (slice(length - radius, length), True)] if radius else [middle]

    def _region(self, x, alpha, sigma, down, right, same_row, same_column):
        """The answer for one region, (G, q, C): its G groups of windows are compared within themselves."""
        total = LogSumExp()
        queries = grouped(self._windows(x, down, right), same_row, same_column)  # (G, q, D)
        for images in self.images.split(self.batch):
            values = grouped(images[:, :, down, right], same_row, same_column)  # (G, p, C)
            if self.form == "convolution" and not same_row and not same_column:
                logits = convolved(queries[0], images, self.size, alpha, sigma)[None]  # (1, q, p)
            else:
                windows = grouped(self._windows(images, down, right), same_row, same_column)  # (G, p, D)
                compare = differences if self.form == "differences" else products
                logits = compare(queries, windows, alpha, sigma)  # (G, q, p)
            total.add(logits, values)
        return total.mean()

    def _local(self, x, alpha, sigma, down, right, same_row, same_column):
        """The answer where only windows at the same place are compared: sums of squares over the window, by pooling."""
        total = LogSumExp()
        radius = self.size // 2
        above, left = max(0, down.start - radius), max(0, right.start - radius)
        near = (slice(None), slice(None), slice(above, down.stop + radius), slice(left, right.stop + radius))
        inside = (
            slice(None), slice(None),
            slice(down.start - above, down.stop - above), slice(right.start - left, right.stop - left),
        )  # fmt: skip
        for images in self.images.split(self.batch):
            logits = []
            for noisy in x:
                squares = (noisy[near[1:]] - alpha * images[near]).square_().sum(1, keepdim=True)  # (n, 1, h, w)
                for kernel, padding in (((self.size, 1), (radius, 0)), ((1, self.size), (0, radius))):
                    squares = functional.avg_pool2d(squares, kernel, 1, padding, divisor_override=1)  # (n, 1, h, w)
                logits.append(grouped(squares[inside], same_row, same_column).mT)  # (G, 1, n)
            values = grouped(images[:, :, down, right], same_row, same_column)  # (G, n, C)
            total.add(torch.cat(logits, 1) / (-2 * sigma**2), values)
        return total.mean()

    def _windows(self, images, down, right):
        """The windows around some pixels, zero where they stick out: (n, D, h, w), D = C * size * size."""
        radius = self.size // 2
        padded = functional.pad(images, (radius, radius, radius, radius))  # (n, C, H + 2r, W + 2r)
        seen = padded[:, :, down.start : down.stop + 2 * radius, right.start : right.stop + 2 * radius]
        windows = seen.unfold(2, self.size, 1).unfold(3, self.size, 1)  # (n, C, h, w, size, size)
        return windows.permute(0, 1, 4, 5, 2, 3).flatten(1, 3)  # (n, D, h, w)


class LogSumExp:
    """A softmax-weighted mean over mini-batches, by (top, num, den)."""

    def __init__(self):
        self.top: Any = None
        self.sums: Any = None

    def add(self, logits, values):
        """`logits`: (G, q, p), overwritten. `values`: (G, p, C)."""
        top = logits.amax(-1)  # (G, q)
        if self.top is not None:
            top = torch.maximum(top, self.top)  # (G, q)
        # Without the floor, exp is ten times slower wherever it underflows.
        weights = logits.sub_(top[..., None]).clamp_(min=FLOOR).exp_()  # (G, q, p)
        with_ones = torch.cat([values, torch.ones_like(values[..., :1])], -1)  # (G, p, C + 1)
        sums = weights @ with_ones  # (G, q, C + 1), the last column is the denominator
        if self.top is not None:
            sums += (self.top - top).exp_()[..., None] * self.sums
        self.top, self.sums = top, sums

    def mean(self):
        """(G, q, C)."""
        return self.sums[..., :-1] / self.sums[..., -1:]  # (G, q, C)


def products(queries, windows, alpha, sigma):
    """-|q - alpha p|^2 / 2 sigma^2 without its part in |q|^2, which the softmax does not see: (G, q, p)."""
    logits = (queries * (alpha / sigma**2)) @ windows.mT  # (G, q, p)
    return logits.add_(windows.square().sum(-1)[:, None], alpha=-(alpha**2) / (2 * sigma**2))


def convolved(queries, images, size, alpha, sigma):
    """`products` of all windows that lie inside `images` (n, C, H, W) with `queries` (q, D): (q, p)."""
    kernels = queries.reshape(len(queries), images.shape[1], size, size) * (alpha / sigma**2)  # (q, C, size, size)
    ones = torch.full((1, images.shape[1], size, size), -(alpha**2) / (2 * sigma**2)).to(images)
    logits = functional.conv2d(images, kernels)  # (n, q, h, w)
    logits += functional.conv2d(images.square(), ones)  # (n, 1, h, w)
    return logits.transpose(0, 1).flatten(1)  # (q, p)


def differences(queries, windows, alpha, sigma):
    """-|q - alpha p|^2 / 2 sigma^2 by taking all the differences: (G, q, p)."""
    windows = alpha * windows  # (G, p, D)
    step = max(1, BLOCK // math.prod(windows.shape))
    parts = [(some[:, :, None] - windows[:, None]).square_().sum(-1) for some in queries.split(step, 1)]  # (G, s, p)
    return torch.cat(parts, 1) / (-2 * sigma**2)  # (G, q, p)


def grouped(a, same_row, same_column):
    """(n, D, h, w) as groups of pixels that are compared with each other: (G, members, D)."""
    n, width, rows, columns = a.shape
    if same_row and same_column:
        return a.permute(2, 3, 0, 1).reshape(rows * columns, n, width)
    if same_row:
        return a.permute(2, 0, 3, 1).reshape(rows, n * columns, width)
    if same_column:
        return a.permute(3, 0, 2, 1).reshape(columns, n * rows, width)
    return a.permute(0, 2, 3, 1).reshape(1, n * rows * columns, width)


def search(images, size, x, alpha, sigma, form="product", batches=BATCHES, rounds=3, device="cpu"):
    """Median seconds for each mini-batch size, {batch: seconds}, from at most 256 of the pictures."""
    some = images[: min(len(images), 256)]
    found = {}
    for batch in [b for b in batches if b < 2 * len(some)]:
        denoise = PlainTorch(some, size, batch=batch, form=form, device=device)
        seconds = []
        for _ in range(rounds + 1):
            begun = time.perf_counter()
            denoise(x, alpha, sigma)
            seconds.append(time.perf_counter() - begun)
        found[batch] = statistics.median(seconds[1:])
    return found


def fastest(images, size, x, alpha, sigma, forms=("product", "convolution"), device="cpu"):
    """The fastest `PlainTorch` over the forms and mini-batch sizes."""
    found = {(s, f, b) for f in forms for b, s in search(images, size, x, alpha, sigma, f, device=device).items()}
    _, form, batch = min(found)
    return PlainTorch(images, size, batch=batch, form=form, device=device)
