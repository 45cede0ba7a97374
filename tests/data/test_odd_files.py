"""Whatever lies in a folder of pictures, or is called like an array: it is read, or named in one line at once."""

import os
import socket
import struct
import warnings
import zipfile
import zlib
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edudiff.data import from_uint8, load
from edudiff.data.files import available

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (4, 6, 5, 3), dtype=np.uint8)


@pytest.fixture
def image(tmp_path, monkeypatch):
    """Pillow's module, in a folder with the pictures 0.png and 1.png."""
    module = pytest.importorskip("PIL.Image")
    monkeypatch.chdir(tmp_path)
    for i in range(2):
        module.fromarray(IMAGES[i]).save(f"{i}.png")
    return module


def refused(path, says):
    """Loading and counting `path` raises ValueError of one line that says so."""
    with pytest.raises(ValueError, match=says) as error:
        load(path)
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


ODD = {
    "a pipe": lambda name: os.mkfifo(name),
    "a socket": lambda name: socket.socket(socket.AF_UNIX).bind(name),
    "a device": lambda name: os.symlink(os.devnull, name),
    "endless": lambda name: os.symlink("/dev/zero", name),
    "a folder": os.mkdir,
    "a link to nothing": lambda name: os.symlink("nowhere", name),
    "a link to itself": lambda name: os.symlink(name, name),
}


@pytest.mark.skipif(os.name != "posix", reason="POSIX files")
@pytest.mark.parametrize("make", ODD.values(), ids=ODD)
def test_what_is_no_plain_file_is_named_and_never_opened(image, make):
    make("z.png")
    refused(".", r"z\.png is called like a picture, but is no plain file; remove or rename it")
    with pytest.raises(ValueError, match=r"z\.png"):
        available(".")


def test_what_a_mac_leaves_is_passed_over(image):
    for name in ("._0.png", ".DS_Store", ".hidden.png", "Thumbs.db", "notes.txt"):
        with open(name, "wb") as file:
            file.write(b"\0\5\26\7" * 20)
    os.mkdir("__MACOSX")
    np.testing.assert_array_equal(load("."), from_uint8(IMAGES[:2]))
    assert available(".") == 2


@pytest.mark.parametrize("ending", ["png", "jpg", "tiff", "webp"])
def test_a_photo_is_read_as_its_exif_says_it_stands(image, ending):
    features = pytest.importorskip("PIL.features")
    if ending == "webp" and not features.check("webp"):
        pytest.skip("Pillow without WebP")
    for i in range(2):
        os.unlink(f"{i}.png")
    upright = np.zeros((12, 6, 3), np.uint8)
    upright[:6, :3] = 255  # the upper left quarter is white
    ways = {  # what a camera stores so that a reader who obeys the tag sees `upright`
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.swapaxes(0, 1),
        6: np.rot90(upright),
        7: upright[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(upright, -1),
    }
    for orientation, stored in ways.items():
        for kind, pixels in (("color", stored), ("gray", stored[..., 0])):
            picture = image.fromarray(np.ascontiguousarray(pixels))
            exif = picture.getexif()
            exif[0x0112] = orientation
            how = {"quality": 100} if ending in ("jpg", "webp") else {}
            picture.save(f"{orientation}-{kind}.{ending}", exif=exif, **how)
    read = load(".")
    assert read.shape == (16, 12, 6, 3)
    np.testing.assert_allclose(read, np.broadcast_to(from_uint8(upright[None]), read.shape), atol=0.3)


def test_modes_of_pictures(image, recwarn):
    """Black and white, gray with alpha, palettes with and without transparency, 16 bits, CMYK: the same shades."""
    gray = IMAGES[0, :, :, 0]
    whole = image.fromarray(gray)
    for mode in ("L", "LA", "RGB", "RGBA", "CMYK", "P"):
        name = "mode.tiff" if mode == "CMYK" else "mode.png"
        whole.convert(mode).save(name)
        read = load(".")[2]
        np.testing.assert_allclose(read, np.broadcast_to(from_uint8(gray[None])[0], (6, 5, 3)), atol=0.02)
        os.unlink(name)
    paletted = image.fromarray(IMAGES[0]).quantize(16)
    shades = np.asarray(paletted.convert("RGB"))  # (H, W, 3)
    paletted.info["transparency"] = bytes(range(16))
    paletted.save("mode.png")
    np.testing.assert_allclose(load(".")[2], from_uint8(shades[None])[0])
    whole.convert("1").save("mode.png")
    assert set(np.unique(load(".")[2])) <= {-1.0, 1.0}
    frames = [image.fromarray(one) for one in IMAGES[2:]]
    frames[0].save("mode.png", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(load(".")[2], from_uint8(IMAGES[2:3])[0])
    assert [str(one.message) for one in recwarn] == []


def png(width, height, data=b"", depth=8, kind=2):
    """A PNG file by hand, which may claim anything."""

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


HOSTILE = {
    "no width": png(0, 5),
    "no height": png(5, 0),
    "as large as it gets": png(2**31 - 1, 2**31 - 1),
    "larger than is read": png(10_000, 10_000),
    "no data": png(6, 5),
    "unknown depth": png(6, 5, b"\0" * 100, depth=3),
    "unknown kind": png(6, 5, b"\0" * 100, kind=9),
    "another language": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 5 6\n(x) run\n",
    "text": b"P6\n",
    "text, sides that are no numbers": b"P6\n\xff\xff 5\n255\n",
    "negative": b"P5\n-5 -6\n255\n" + bytes(30),
    "a GIF without a picture": b"GIF89a\5\0\6\0\0\0\0;",
    "a bitmap of nothing": b"BM" + bytes(60),
    "a TIFF that points at itself": b"II*\0\x08\0\0\0\1\0\0\1\4\0\1\0\0\0\x08\0\0\0\x08\0\0\0",
    "an archive": b"PK\3\4" + bytes(40),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_pictures_are_named(image, data):
    with open("2.png", "wb") as file:
        file.write(data)
    refused(".", r"2\.png cannot be read as a picture \(.+\); remove it or save it again")


@given(st.data())
def test_a_picture_with_wrong_bytes_is_read_or_named(tmp_path_factory, data):
    image = pytest.importorskip("PIL.Image")
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "TIFF", "PPM"]))
    picture = image.fromarray(IMAGES[0])
    exif = picture.getexif()
    exif[0x0112] = 6
    packed = BytesIO()
    picture.save(packed, kind, **({"exif": exif} if kind in ("PNG", "JPEG", "TIFF") else {}))
    raw = bytearray(packed.getvalue())
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    folder = tmp_path_factory.mktemp("wrong")
    (folder / "a.png").write_bytes(raw)
    try:
        read = load(folder)
    except ValueError as error:
        assert "a.png" in str(error)
    else:
        assert read.ndim == 4 and abs(read).max() <= 1


def test_names_that_cannot_be_printed_stay_on_one_line(image):
    for name in (b"new\nline.png", b"\xff\xfe.png", b"\x1b[31mred.png"):
        path = os.fsdecode(name)
        try:
            with open(path, "wb") as file:
                file.write(b"no picture")
        except OSError:
            continue  # a file system that has no such names
        said = refused(".", r"cannot be read as a picture")
        assert said.split(" cannot")[0].isprintable()
        os.unlink(path)


def test_mixed_sizes_name_the_first_that_differs(image):
    image.fromarray(IMAGES[2][:5]).save("2.png")
    image.fromarray(IMAGES[3][:4]).save("3.png")
    refused(".", r"2\.png is 5 x 5 pixels, but .*0\.png is 6 x 5; pass size=")
    assert load(".", size=4).shape == (4, 4, 4, 3)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="a user who may not read everything")
def test_what_may_not_be_read_is_named(image):
    os.chmod("1.png", 0)
    refused(".", r"1\.png cannot be read as a picture .*Permission denied")


def test_paths_that_are_no_data_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("table.csv", "picture.png", "noending", "a.npz.txt"):
        (tmp_path / name).write_text("1,2\n3,4\n")
        refused(name, "a file of another kind; expected a folder of pictures, an .npy or an .npz file")
    if hasattr(os, "mkfifo"):
        os.mkfifo("pipe.npy")
        refused("pipe.npy", "a file of another kind")
    os.symlink("loop", "loop")
    refused("loop", "a file of another kind")
    for name in ("", "nowhere", "~nobody-of-this-name", "x" * 5000, "with\0zero", "loop/inside"):
        if name:
            with pytest.raises((FileNotFoundError, ValueError)):
                load(name)
    with pytest.raises(FileNotFoundError, match="nobody-of-this-name"):
        load("mnist", root="~nobody-of-this-name")


def npy(array, **how):
    packed = BytesIO()
    np.save(packed, array, **how)
    return packed.getvalue()


def npz(members):
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return packed.getvalue()


GRAY = IMAGES[..., 0]
ARRAYS = {
    "not an array": npz({"images": b"text"}),
    "text inside": npz({"images.npy": b"text"}),
    "empty archive": npz({}),
    "one array of another name, and a text": npz({"a.npy": npy(GRAY), "b": b"text"}),
    "structured": npy(np.zeros(3, dtype=[("r", "u1"), ("g", "u1")])),
    "dates": npy(np.zeros((2, 3, 3), "M8[s]")),
    "words": npy(np.full((2, 3, 3), "a")),
    "complex": npy(np.zeros((2, 3, 3), complex)),
    "truth": npy(np.zeros((2, 3, 3), bool)),
    "one number": npy(np.uint8(3)),
    "one picture": npy(GRAY[0]),
    "five axes": npy(GRAY[None, None]),
    "no pictures": npy(GRAY[:0]),
    "no pixels": npy(GRAY[:, :0]),
    "too large for float32": npy(np.full((2, 3, 3), 1e300)),
    "objects": npy(np.array([[[None]]]), allow_pickle=True),
    "a header that goes on": b"\x93NUMPY\x01\x00\xff\xff" + b"{" * 65535,
    "a header that is a program": b"\x93NUMPY\x01\x00\x20\x00" + b"__import__('os').getcwd()".ljust(31) + b"\n",
    "a header with an open bracket": npy(GRAY).replace(b"}", b"("),
    "a zero byte in the header": npy(GRAY)[:10] + bytes(1) + npy(GRAY)[11:],
    "a negative shape": npy(GRAY).replace(b"(4, 6, 5)", b"(-4, 6,5)"),
    "labels that are no integers": npz({"images.npy": npy(GRAY), "labels.npy": npy(np.zeros(4))}),
    "labels, too few": npz({"images.npy": npy(GRAY), "labels.npy": npy(np.zeros(3, int))}),
    "labels that are a text": npz({"images.npy": npy(GRAY), "labels": b"1, 2, 3, 4"}),
    "nothing": b"",
}


@pytest.mark.parametrize("ending", ["npy", "npz", "NPY"])
@pytest.mark.parametrize("data", ARRAYS.values(), ids=ARRAYS)
def test_hostile_arrays_are_named(tmp_path, data, ending):
    (tmp_path / f"a.{ending}").write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # the error says it all
        assert f"a.{ending}" in refused(tmp_path / f"a.{ending}", ".")


@given(where=st.integers(0, 200), byte=st.integers(0, 255))
def test_a_wrong_byte_in_the_header_of_an_array_is_named_or_read(tmp_path_factory, where, byte):
    raw = bytearray(npy(GRAY))
    raw[where % len(raw)] = byte
    path = tmp_path_factory.mktemp("wrong") / "a.npy"
    path.write_bytes(raw)
    try:
        assert load(path).ndim == 4
    except ValueError as error:
        assert "a.npy" in str(error)


@pytest.mark.parametrize("ending", ["npy", "npz"])
def test_what_a_file_holds_counts_and_not_its_name(tmp_path, ending):
    for number, data in enumerate((npy(GRAY), npz({"images.npy": npy(GRAY)}), npz({"any.npy": npy(GRAY)}))):
        path = tmp_path / f"{number}.{ending}"
        path.write_bytes(data)
        np.testing.assert_array_equal(load(path), from_uint8(GRAY))
        assert available(path) == 4


@pytest.mark.parametrize("dtype", ["f2", ">f4", "<f8", ">f8", "g"])
def test_floats_of_any_width_and_order_are_read(tmp_path, dtype):
    np.save(tmp_path / "a.npy", from_uint8(GRAY).astype(dtype))
    read = load(tmp_path / "a.npy")
    assert read.dtype == np.float32 and read.dtype.isnative
    np.testing.assert_allclose(read, from_uint8(GRAY), atol=1e-3)


def test_only_the_arrays_that_are_needed_are_read(tmp_path):
    """The others may be damaged, or larger than the memory."""
    claims = npy(GRAY).replace(b"(4, 6, 5)", b"(4, 6, 5000000000000)")
    (tmp_path / "a.npz").write_bytes(npz({"images.npy": npy(GRAY), "other.npy": claims, "text": b"hello"}))
    np.testing.assert_array_equal(load(tmp_path / "a.npz"), from_uint8(GRAY))


@pytest.mark.parametrize("name", ("a.npy", "a.npz"))
@pytest.mark.parametrize(("data", "says"), [(b"PK" + b"0" * 50, "it does not begin as one"), (b"", "it is empty")])
def test_a_file_that_is_only_called_a_numpy_file_is_not_called_a_pickle(name, data, says, tmp_path):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match=rf"{name} cannot be read as NumPy arrays without pickle: {says}; save"):
        load(tmp_path / name)
