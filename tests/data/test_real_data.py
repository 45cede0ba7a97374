"""The published files, where EDUDIFF_DATA names a folder that holds them: shapes, labels, and every byte."""

import gzip
import hashlib
import os

import numpy as np
import pytest

from edudiff.data import files, load
from edudiff.data.registry import DATA_SETS

if not os.environ.get("EDUDIFF_DATA"):
    pytest.skip("set EDUDIFF_DATA to the folder that holds mnist, fashion_mnist and cifar10", allow_module_level=True)


def load_or_skip(name, **options):
    try:
        return load(name, root=os.environ["EDUDIFF_DATA"], **options)
    except FileNotFoundError:
        pytest.skip(f"no {name} under EDUDIFF_DATA")


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_mnist_and_fashion_mnist(name):
    for split, count in (("train", 60_000), ("test", 10_000)):
        images, labels = load_or_skip(name, labels=True, split=split)
        assert images.shape == (count, 28, 28, 1)
        assert images.dtype == np.float32
        assert (images.min(), images.max()) == (-1, 1)
        counts = np.bincount(labels)
        if name == "fashion_mnist":
            assert (counts == count // 10).all()
        elif split == "train":
            assert counts.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert load_or_skip(name, count=100, size=14).shape == (100, 14, 14, 1)


def test_cifar10():
    images, labels = load_or_skip("cifar10", labels=True, count=10_000)
    assert images.shape == (10_000, 32, 32, 3)
    assert np.bincount(labels).tolist() == [1005, 974, 1032, 1016, 999, 937, 1030, 1001, 1025, 981]
    red, green, blue = ((images.mean(axis=(0, 1, 2)) + 1) / 2).round(2)
    assert (red, green, blue) == pytest.approx((0.49, 0.48, 0.45), abs=1e-6)


@pytest.mark.parametrize("name", files.NAMES)
def test_checksums_of_what_is_there(name):
    checked = 0
    for download in DATA_SETS[name]:
        for part, checksum in download.unpacked.items():
            path = files.places()[0] / name / part
            if checksum is None or not path.exists():
                continue
            data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            method, expected = checksum.split(":")
            assert hashlib.new(method, data).hexdigest() == expected
            checked += 1
    if not checked:
        pytest.skip(f"no {name} under EDUDIFF_DATA")
