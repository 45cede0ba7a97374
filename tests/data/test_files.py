"""Reading pictures from files: what was written is what is read, and damaged or hostile files are refused."""

import gzip
import pickle
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edudiff.data import files, folder, from_uint8, load
from edudiff.data.cifar import read_cifar
from edudiff.data.idx import PIECE, read_idx

RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (12, 6, 6), dtype=np.uint8)
LABELS = RNG.integers(0, 10, 12, dtype=np.uint8)


def idx(array, magic=None, shape=None):
    """The bytes of an idx file."""
    shape = array.shape if shape is None else shape
    magic = bytes([0, 0, 8, len(shape)]) if magic is None else magic
    return magic + struct.pack(f">{len(shape)}I", *shape) + array.tobytes()


def write_mnist(root, images=PICTURES, labels=LABELS, name="mnist", prefix="train", packed=True):
    where = root / name
    where.mkdir(parents=True, exist_ok=True)
    for file, array in (("images-idx3", images), ("labels-idx1", labels)):
        data = array if isinstance(array, bytes) else idx(array)
        path = where / f"{prefix}-{file}-ubyte"
        if packed:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(data))
        else:
            path.write_bytes(data)


def write_cifar(root, batches, test=None):
    where = root / "cifar10" / "cifar-10-batches-bin"
    where.mkdir(parents=True)
    for number, (images, labels) in batches.items():
        records = np.concatenate([labels[:, None], images.transpose(0, 3, 1, 2).reshape(len(labels), -1)], axis=1)
        (where / f"data_batch_{number}.bin").write_bytes(records.astype(np.uint8).tobytes())
    return where


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
@pytest.mark.parametrize("packed", [True, False])
def test_what_is_written_is_read(tmp_path, name, packed):
    write_mnist(tmp_path, name=name, packed=packed)
    images, labels = load(name, root=tmp_path, labels=True)
    np.testing.assert_array_equal(images, from_uint8(PICTURES))
    np.testing.assert_array_equal(labels, LABELS)
    assert (images.dtype, labels.dtype) == (np.float32, np.int64)
    np.testing.assert_array_equal(load(name, 5, root=tmp_path), images[:5])
    means = images.reshape(12, 3, 2, 3, 2, 1).mean(axis=(2, 4))
    np.testing.assert_allclose(load(name, size=3, root=tmp_path), means, atol=1e-6)


def test_a_random_choice_is_reproducible_and_keeps_its_labels(tmp_path):
    write_mnist(tmp_path)
    images, labels = load("mnist", 8, root=tmp_path, labels=True, rng=np.random.default_rng(1))
    again = load("mnist", 8, root=tmp_path, rng=np.random.default_rng(1))
    np.testing.assert_array_equal(images, again)
    assert not np.array_equal(images, load("mnist", 8, root=tmp_path, rng=np.random.default_rng(2)))
    everything = from_uint8(PICTURES)
    where = [next(i for i in range(12) if np.array_equal(everything[i], image)) for image in images]
    assert len(set(where)) == 8
    assert where != list(range(8))
    np.testing.assert_array_equal(labels, LABELS[where])
    every = load("mnist", 12, root=tmp_path, rng=np.random.default_rng(1))  # drawn from all, the first and last too
    assert sorted(map(np.ndarray.tobytes, every)) == sorted(map(np.ndarray.tobytes, everything))


def test_splits_are_different_files(tmp_path):
    write_mnist(tmp_path)
    write_mnist(tmp_path, PICTURES[:3], LABELS[:3], prefix="t10k")
    assert len(load("mnist", root=tmp_path)) == 12
    assert len(load("mnist", root=tmp_path, split="test")) == 3
    with pytest.raises(ValueError, match="split is 'validation', expected one of 'train', 'test'"):
        load("mnist", root=tmp_path, split="validation")


def test_places_are_root_or_the_variable_and_then_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("EDUDIFF_DATA", raising=False)
    with pytest.raises(FileNotFoundError) as error:
        load("mnist")
    assert str(tmp_path / "cache" / "edudiff" / "mnist") in str(error.value)
    assert "edudiff fetch mnist" in str(error.value)
    assert "EDUDIFF_DATA" in str(error.value)
    write_mnist(tmp_path / "cache" / "edudiff")
    assert len(load("mnist")) == 12
    monkeypatch.setenv("EDUDIFF_DATA", str(tmp_path / "mine"))
    assert len(load("mnist")) == 12
    write_mnist(tmp_path / "mine", PICTURES[:4], LABELS[:4])
    assert len(load("mnist")) == 4
    with pytest.raises(FileNotFoundError, match="elsewhere"):
        load("mnist", root=tmp_path / "elsewhere")
    assert files.places(tmp_path) == [tmp_path]


def test_load_refuses(tmp_path):
    write_mnist(tmp_path)
    with pytest.raises(ValueError, match="has 12 pictures here, but count is 13"):
        load("mnist", 13, root=tmp_path)
    with pytest.raises(ValueError, match="count is 0, expected an integer >= 1"):
        load("mnist", 0, root=tmp_path)
    with pytest.raises(TypeError, match=r"count is 3\.0"):
        load("mnist", 3.0, root=tmp_path)
    with pytest.raises(FileNotFoundError, match="'minst' is none of mnist"):
        load("minst")
    (tmp_path / "text.txt").write_text("no pictures")
    with pytest.raises(ValueError, match="a file of another kind"):
        load(tmp_path / "text.txt")
    (tmp_path / "mnist" / "train-labels-idx1-ubyte.gz").unlink()
    assert len(load("mnist", root=tmp_path)) == 12
    with pytest.raises(ValueError, match="has no labels"):
        load("mnist", root=tmp_path, labels=True)


DAMAGE = {
    "truncated": (idx(PICTURES)[:-1], "only 431 bytes of data, expected the 432"),
    "longer than its header says": (idx(PICTURES) + b"x", "more bytes of data"),
    "ends inside the header": (idx(PICTURES)[:9], "ends inside its header"),
    "empty file": (b"", r"starts with the bytes \(none\)"),
    "labels for pictures": (idx(LABELS), "starts with the bytes 00 00 08 01, expected 00 00 08 03"),
    "four dimensions": (idx(PICTURES[None]), "expected 00 00 08 03"),
    "floats": (idx(PICTURES, magic=bytes([0, 0, 13, 3])), "starts with the bytes 00 00 0d 03"),
    "no idx file": (b"<html>not found</html>", "starts with the bytes 3c 68 74 6d"),
    "no pictures": (idx(PICTURES[:0]), r"its shape is \(0, 6, 6\): it is empty"),
    "two thousand million pictures": (idx(PICTURES, shape=(2**31, 28, 28)), "expected up to"),
    "at the limit": (idx(PICTURES, shape=(2**24, 8, 8)), "only 432 bytes"),
    "just beyond the limit": (idx(PICTURES, shape=(2**24 + 1, 8, 8)), "expected up to 1,073,741,824"),
}


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_idx_files_are_refused_by_name_without_using_memory(tmp_path, damage, packed):
    data, says = DAMAGE[damage]
    write_mnist(tmp_path, images=data, packed=packed)
    tracemalloc.start()
    with pytest.raises(ValueError, match=says) as error:
        load("mnist", root=tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "train-images-idx3-ubyte" in str(error.value)
    assert peak < 4 * PIECE


def test_a_packed_bomb_is_read_no_further_than_promised(tmp_path):
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(idx(PICTURES) + bytes(64 * 2**20)))
    tracemalloc.start()
    with pytest.raises(ValueError, match="more bytes of data"):
        read_idx(path, 3)
    assert tracemalloc.get_traced_memory()[1] < 4 * PIECE
    tracemalloc.stop()


@given(cut=st.integers(0, 200))
def test_a_gzip_file_cut_anywhere_is_refused(tmp_path_factory, cut):
    packed = gzip.compress(idx(PICTURES))
    path = tmp_path_factory.mktemp("cut") / "cut.gz"
    path.write_bytes(packed[: len(packed) - 1 - cut])
    with pytest.raises(ValueError, match=r"cut\.gz"):
        read_idx(path, 3)


@given(where=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_gzip_file_with_one_wrong_bit_is_never_read_wrongly(tmp_path_factory, where, bit):
    """A flipped bit is refused, or (in gzip's own header) changes nothing."""
    packed = bytearray(gzip.compress(idx(PICTURES)))
    packed[where % len(packed)] ^= 1 << bit
    path = tmp_path_factory.mktemp("flip") / "flip.gz"
    path.write_bytes(packed)
    try:
        read = read_idx(path, 3)
    except ValueError:
        return
    np.testing.assert_array_equal(read, PICTURES)


def test_pictures_and_labels_must_be_as_many(tmp_path):
    write_mnist(tmp_path, labels=LABELS[:11])
    with pytest.raises(ValueError, match="has 11 labels for 12 pictures"):
        load("mnist", 3, root=tmp_path)


CIFAR = RNG.integers(0, 256, (30, 32, 32, 3), dtype=np.uint8)
KINDS = RNG.integers(0, 10, 30, dtype=np.uint8)


def test_cifar_batches_that_are_there_are_used_in_order(tmp_path):
    where = write_cifar(tmp_path, {1: (CIFAR[:10], KINDS[:10]), 3: (CIFAR[10:], KINDS[10:])})
    images, labels = load("cifar10", root=tmp_path, labels=True)
    np.testing.assert_array_equal(images, from_uint8(CIFAR))
    np.testing.assert_array_equal(labels, KINDS)
    np.testing.assert_array_equal(load("cifar10", 12, root=tmp_path), images[:12])
    assert load("cifar10", 2, size=16, root=tmp_path).shape == (2, 16, 16, 3)
    np.testing.assert_array_equal(read_cifar([where / "data_batch_1.bin"])[0], CIFAR[:10])
    with pytest.raises(ValueError, match="has 30 pictures here, but count is 31"):
        load("cifar10", 31, root=tmp_path)
    with pytest.raises(FileNotFoundError, match=r"test_batch\.bin"):
        load("cifar10", root=tmp_path, split="test")
    batch = where / "data_batch_1.bin"
    batch.write_bytes(batch.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"data_batch_1\.bin has 30,729 bytes, expected a whole number of records"):
        load("cifar10", root=tmp_path)
    batch.write_bytes(bytes([10]) * 3073)
    with pytest.raises(ValueError, match="has a label 10, expected 0 to 9"):
        load("cifar10", root=tmp_path)
    (where / "data_batch_3.bin").write_bytes(b"")
    with pytest.raises(ValueError, match=r"data_batch_3\.bin has 0 bytes"):
        load("cifar10", root=tmp_path)


def test_the_training_set_of_cifar_is_its_five_batches_and_no_others(tmp_path):
    write_cifar(tmp_path, {number: (CIFAR[number : number + 1], KINDS[number : number + 1]) for number in range(8)})
    np.testing.assert_array_equal(load("cifar10", root=tmp_path), from_uint8(CIFAR[1:6]))


@given(start=st.integers(0, 29), count=st.integers(1, 30))
def test_a_range_of_a_file_is_that_part_of_the_whole(tmp_path_factory, start, count):
    """For every format, with its labels; and what is beyond the end is refused."""
    image = pytest.importorskip("PIL.Image")
    root = tmp_path_factory.mktemp("ranges")
    write_mnist(root, CIFAR[..., 0], KINDS)
    write_mnist(root, CIFAR[..., 1], KINDS, name="fashion_mnist", packed=False)
    write_cifar(root, {1: (CIFAR[:7], KINDS[:7]), 2: (CIFAR[7:8], KINDS[7:8]), 3: (CIFAR[8:], KINDS[8:])})
    np.save(root / "a.npy", CIFAR)
    np.savez(root / "b.npz", images=CIFAR, labels=KINDS)
    (root / "folder").mkdir()
    for i, picture in enumerate(CIFAR):
        image.fromarray(picture[:4, :4]).save(root / "folder" / f"{i:02}.png")
    for name in ("mnist", "fashion_mnist", "cifar10", root / "a.npy", root / "b.npz", root / "folder"):
        labeled = str(name)[-3:] not in ("npy", "der")
        whole = load(name, root=root, labels=labeled)
        if start + count > 30:
            with pytest.raises(ValueError, match=r"has 30 pictures here, but (count is|those from number)"):
                load(name, count, root=root, start=start)
            continue
        part = load(name, count, root=root, labels=labeled, start=start)
        for some, everything in zip(*((a if labeled else [a]) for a in (part, whole)), strict=True):
            np.testing.assert_array_equal(some, everything[start : start + count])
        rest = load(name, root=root, start=start)
        np.testing.assert_array_equal(rest, (whole[0] if labeled else whole)[start:])


@pytest.mark.parametrize("seed", [0, 7, np.random.RandomState(0), "random"])
def test_what_is_no_generator_is_refused_before_the_file_is_looked_for(seed):
    with pytest.raises(TypeError, match="expected a generator"):
        load("nowhere.npy", rng=seed)


def test_a_range_starts_somewhere_in_the_file(tmp_path):
    write_mnist(tmp_path)
    with pytest.raises(ValueError, match="start is -1, expected an integer >= 0"):
        load("mnist", 2, root=tmp_path, start=-1)
    with pytest.raises(TypeError, match=r"start is 1\.5"):
        load("mnist", 2, root=tmp_path, start=1.5)
    with pytest.raises(ValueError, match="expected no other than 0 with rng"):
        load("mnist", 2, root=tmp_path, start=1, rng=RNG)
    with pytest.raises(ValueError, match="12 pictures here, but those from number 12"):
        load("mnist", root=tmp_path, start=12)
    np.save(tmp_path / "one.npy", PICTURES[:1])
    with pytest.raises(ValueError, match="1 pictures here, but those from number 1"):
        load(tmp_path / "one.npy", start=1)


@pytest.mark.parametrize("packed", [True, False])
def test_a_range_of_a_large_file_needs_the_memory_of_the_range(tmp_path, packed):
    """And the file is still checked to its end."""
    path = tmp_path / ("large.gz" if packed else "large")
    data = idx(np.arange(32 * PIECE, dtype=np.uint8).reshape(-1, 64, 64))
    path.write_bytes(gzip.compress(data, 1) if packed else data)
    tracemalloc.start()
    part = read_idx(path, 3, 5000, 5010)
    assert tracemalloc.get_traced_memory()[1] < 6 * PIECE  # of 32
    tracemalloc.stop()
    np.testing.assert_array_equal(part, np.arange(10 * 4096, dtype=np.uint8).reshape(10, 64, 64))
    long = read_idx(path, 3, 200, 800)  # from within the first piece that is read into the fourth
    np.testing.assert_array_equal(long, np.arange(600 * 4096, dtype=np.uint8).reshape(-1, 64, 64))
    path.write_bytes(gzip.compress(data[:-1], 1) if packed else data[:-1])
    with pytest.raises(ValueError, match="bytes of data, expected the"):
        read_idx(path, 3, 0, 10)


def test_a_folder_of_pictures(tmp_path):
    image = pytest.importorskip("PIL.Image")
    gray, color = PICTURES[0], CIFAR[0][:6, :6]
    image.fromarray(gray).save(tmp_path / "b.png")
    image.fromarray(color).save(tmp_path / "a.png")
    (tmp_path / "notes.txt").write_text("not a picture")
    images = load(tmp_path)
    np.testing.assert_array_equal(images[0], from_uint8(color[None])[0])
    np.testing.assert_array_equal(images[1], from_uint8(np.stack([gray] * 3, axis=-1)[None])[0])
    assert load(str(tmp_path), 1).shape == (1, 6, 6, 3)
    with pytest.raises(ValueError, match="has no labels"):
        load(tmp_path, labels=True)
    with pytest.raises(ValueError, match="has 2 pictures here, but count is 3"):
        load(tmp_path, 3)
    image.fromarray(CIFAR[0][:8, :6]).save(tmp_path / "c.png")
    with pytest.raises(ValueError, match=r"c\.png is 8 x 6 pixels, but .*a\.png is 6 x 6; pass size="):
        load(tmp_path)
    resized = load(tmp_path, size=3)
    assert resized.shape == (3, 3, 3, 3)
    middle = from_uint8(CIFAR[:1, 1:7, :6])
    np.testing.assert_allclose(resized[2], middle.reshape(3, 2, 3, 2, 3).mean(axis=(1, 3)), atol=1e-6)
    image.fromarray(CIFAR[0][:8, :6].swapaxes(0, 1)).save(tmp_path / "c.png")  # wide instead of high
    np.testing.assert_allclose(load(tmp_path, size=3)[2], resized[2].swapaxes(0, 1), atol=1e-6)


def test_gray_pictures_have_one_channel_and_bad_ones_are_refused(tmp_path, monkeypatch):
    image = pytest.importorskip("PIL.Image")
    with pytest.raises(ValueError, match="holds no pictures"):
        load(tmp_path)
    for i in range(3):
        image.fromarray(PICTURES[i]).save(tmp_path / f"{i}.png")
    np.testing.assert_array_equal(load(tmp_path), from_uint8(PICTURES[:3]))
    whole = (tmp_path / "1.png").read_bytes()
    for bad in (whole[: len(whole) // 2], b"GIF89a", b"", b"\x80\x04."):
        (tmp_path / "1.png").write_bytes(bad)
        with pytest.raises(ValueError, match=r"1\.png cannot be read as a picture"):
            load(tmp_path)
    monkeypatch.setattr(folder, "LARGEST", 35)
    with pytest.raises(ValueError, match=r"0\.png cannot be read .*it is 6 x 6 pixels, expected 1 to 35 in all"):
        load(tmp_path)


def test_a_folder_without_pillow_names_the_extra(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(b"anything")
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r"pip install 'edudiff\[data\]'"):
        load(tmp_path)


def test_numpy_files(tmp_path):
    np.save(tmp_path / "a.npy", PICTURES)
    np.testing.assert_array_equal(load(tmp_path / "a.npy", 5), from_uint8(PICTURES[:5]))
    np.savez(tmp_path / "b.npz", images=from_uint8(PICTURES).astype(np.float64), labels=LABELS)
    images, labels = load(tmp_path / "b.npz", labels=True)
    np.testing.assert_array_equal(images, from_uint8(PICTURES))
    np.testing.assert_array_equal(labels, LABELS)
    np.savez_compressed(tmp_path / "c.npz", CIFAR)
    assert load(tmp_path / "c.npz", size=8).shape == (30, 8, 8, 3)


def test_the_only_array_of_a_file_is_its_images_whatever_its_name(tmp_path):
    np.savez(tmp_path / "a.npz", labels=PICTURES)
    np.testing.assert_array_equal(load(tmp_path / "a.npz"), from_uint8(PICTURES))
    with pytest.raises(ValueError, match="has no labels"):
        load(tmp_path / "a.npz", labels=True)


def test_of_a_long_numpy_file_only_what_is_wanted_is_read(tmp_path):
    np.save(tmp_path / "long.npy", np.zeros((1024, 64, 64), np.uint8))  # 4 MB
    tracemalloc.start()
    assert load(tmp_path / "long.npy", 3, start=700).shape == (3, 64, 64, 1)
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


@pytest.mark.parametrize(("size", "fits"), [(2**32, True), (2**32 + 1, False)])
def test_a_packed_array_may_claim_four_gigabytes_and_no_more(tmp_path, monkeypatch, size, fits):
    np.savez(tmp_path / "a.npz", images=PICTURES)
    claim = SimpleNamespace(filename="images.npy", file_size=size)
    monkeypatch.setattr(zipfile.ZipFile, "infolist", lambda self: [claim])
    if fits:
        assert len(load(tmp_path / "a.npz")) == 12
    else:
        with pytest.raises(ValueError, match="4,294,967,297 bytes, expected at most 4,294,967,296"):
            load(tmp_path / "a.npz")


def test_a_picture_may_claim_64_megapixels_and_no_more():
    folder._check(SimpleNamespace(width=2**13, height=2**13, mode="L"))
    for width, height in ((2**13, 2**13 + 1), (2**26 + 1, 1), (0, 5)):
        with pytest.raises(ValueError, match="expected 1 to 67,108,864 in all"):
            folder._check(SimpleNamespace(width=width, height=height, mode="L"))


class Trap:
    """A pickle of this would run code: print to a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_no_code_of_a_file_is_run(tmp_path):
    trap = np.array([Trap(tmp_path / "sprung")], dtype=object)
    np.save(tmp_path / "a.npy", trap, allow_pickle=True)
    np.savez(tmp_path / "b.npz", images=trap)
    (tmp_path / "c.npy").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    (tmp_path / "d.npz").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    for name in ("a.npy", "b.npz", "c.npy", "d.npz"):
        with pytest.raises(ValueError, match=f"{name} cannot be read as NumPy arrays without pickle"):
            load(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


def npy_header(shape):
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def test_a_damaged_byte_of_a_packed_file_is_named_or_harmless(tmp_path):
    path, refused = tmp_path / "p.npz", 0
    np.savez_compressed(path, images=PICTURES)
    whole = path.read_bytes()
    for i in range(len(whole)):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 255]) + whole[i + 1 :])
        try:
            load(path)
        except ValueError as error:
            assert "p.npz" in str(error)
            refused += 1
    assert refused > len(whole) / 2


def test_damaged_numpy_files_are_refused(tmp_path):
    claims = npy_header((2**31, 28, 28)) + bytes(100)
    (tmp_path / "claims.npy").write_bytes(claims)
    with zipfile.ZipFile(tmp_path / "claims.npz", "w") as archive:
        archive.writestr("images.npy", claims)
    np.save(tmp_path / "short.npy", PICTURES)
    (tmp_path / "short.npy").write_bytes((tmp_path / "short.npy").read_bytes()[:-1])
    np.save(tmp_path / "flat.npy", PICTURES[0])
    np.save(tmp_path / "none.npy", PICTURES[:0])
    np.save(tmp_path / "integers.npy", PICTURES.astype(int))
    np.save(tmp_path / "bytes_as_floats.npy", PICTURES.astype(float))
    np.save(tmp_path / "nan.npy", np.full((2, 3, 3), np.nan))
    np.savez(tmp_path / "names.npz", a=PICTURES, b=LABELS)
    np.savez(tmp_path / "labels.npz", images=PICTURES, labels=LABELS[:5])
    np.savez(tmp_path / "words.npz", images=PICTURES, labels=np.array(["cat"] * 12))
    says = {
        "claims.npy": "cannot be read",
        "claims.npz": "cannot be read",
        "short.npy": "cannot be read",
        "flat.npy": "expected .N, H, W.",
        "none.npy": "at least one",
        "integers.npy": "dtype int64, expected uint8",
        "bytes_as_floats.npy": "/ 127.5 - 1",
        "nan.npy": "NaN",
        "names.npz": "arrays a, b, expected one named 'images'",
        "labels.npz": "expected one integer each",
        "words.npz": "expected one integer each",
    }
    for name, expected in says.items():
        with pytest.raises(ValueError, match=expected) as error:
            load(tmp_path / name)
        assert name in str(error.value)


def test_importing_data_loads_nothing_heavy():
    heavy = ["matplotlib", "PIL", "pooch", "requests", "numba", "scipy"]
    code = f"import sys, edudiff.data, edudiff.data.fetch; print([m for m in {heavy} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_gray_pictures_of_16_bits_keep_their_shades(tmp_path):
    image = pytest.importorskip("PIL.Image")
    deep = np.linspace(0, 65535, 255 * 3 + 1)[:760].reshape(19, 40)  # shades between those of 8 bits, too
    image.fromarray(deep.astype(np.uint16)).save(tmp_path / "deep.png")
    read = load(tmp_path)
    assert read.shape == (1, 19, 40, 1)
    np.testing.assert_allclose(read[0, :, :, 0], deep / 32767.5 - 1, atol=1 / 255)
    (tmp_path / "deep.png").unlink()
    image.fromarray(deep.astype(np.float32)).save(tmp_path / "floats.tiff")
    with pytest.raises(ValueError, match="holds floats, whose range is unknown"):
        load(tmp_path)
    image.fromarray((70000 + deep).astype(np.int32)).save(tmp_path / "floats.tiff")
    with pytest.raises(ValueError, match="expected 0 to 65535"):
        load(tmp_path)
