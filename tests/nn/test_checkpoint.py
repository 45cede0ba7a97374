"""Checkpoints are whole or absent, and a file that is read never runs code."""

import json
import os
import pickle
import tracemalloc
import zipfile

import numpy as np
import pytest

import edudiff as ed
from edudiff import nn
from edudiff.nn import checkpoint

IMAGES = np.random.default_rng(0).uniform(-1, 1, (4, 4, 4, 1)).astype(np.float32)


@pytest.fixture
def state():
    net = nn.ResNet(4, 1, rng=np.random.default_rng(0))
    states = nn.train(net, IMAGES, ed.schedule.cosine(), np.random.default_rng(0), 2, batch=4)
    next(states)
    return next(states)


def test_loaded_state_equals_the_saved_one(state, tmp_path):
    checkpoint.save(tmp_path / "c.npz", state)
    loaded = checkpoint.load(tmp_path / "c.npz")
    assert (loaded.step, loaded.losses, loaded.settings) == (state.step, state.losses, state.settings)
    assert loaded.seconds == state.seconds > 0
    assert loaded.rng.random() == state.rng.random()
    assert loaded.net.config == state.net.config
    assert repr(loaded.adam.count) == "2"  # an integer, as training counts
    pairs = [(loaded.adam.m, state.adam.m), (loaded.adam.v, state.adam.v)]
    pairs += [(loaded.net.parameters, state.net.parameters), (loaded.ema.parameters, state.ema.parameters)]
    for one, other in pairs:
        assert list(one) == list(other)
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])


@pytest.mark.parametrize("keep", (0, 10, 0.5, 0.99))
def test_truncated_file_is_named(state, tmp_path, keep):
    path = tmp_path / "c.npz"
    checkpoint.save(path, state)
    data = path.read_bytes()
    path.write_bytes(data[: keep if isinstance(keep, int) else int(keep * len(data))])
    with pytest.raises(ValueError, match=r"c\.npz is not a whole edudiff checkpoint"):
        checkpoint.load(path)


def test_a_damaged_byte_is_named_or_harmless(state, tmp_path):
    path = tmp_path / "c.npz"
    checkpoint.save(path, state)
    whole, refused = path.read_bytes(), 0
    for i in range(0, len(whole), max(1, len(whole) // 100)):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 255]) + whole[i + 1 :])
        try:
            checkpoint.load(path)
        except ValueError as error:
            assert "c.npz is not a whole edudiff checkpoint" in str(error)
            refused += 1
    assert refused > 50


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no checkpoint at .*none\.npz"):
        checkpoint.load(tmp_path / "none.npz")


def test_pickled_code_in_a_checkpoint_is_not_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "exploded"),)

    path = tmp_path / "bomb.npz"
    np.savez(path, header=np.array(Bomb(), dtype=object))
    for hostile in (path, tmp_path / "plain.pkl"):
        if hostile.suffix == ".pkl":
            hostile.write_bytes(pickle.dumps(Bomb()))
        with pytest.raises(ValueError, match="not a whole edudiff checkpoint"):
            checkpoint.load(hostile)
    assert not (tmp_path / "exploded").exists()


def test_checkpoint_of_another_architecture_is_refused(state, tmp_path):
    checkpoint.save(tmp_path / "c.npz", state)
    with pytest.raises(ValueError, match=r"another architecture \(channels: 4, expected 8; padding: 'zero'"):
        checkpoint.load_net(tmp_path / "c.npz", like=nn.ResNet(8, 1, padding="circular"))


NETS = (
    lambda: nn.ResNet(4, 1, classes=2, attention=(0,), groups=2),
    lambda: nn.UNet((4, 4), 1, pooling="strided", upsampling="transposed", attention=(1,)),
    lambda: nn.Linear(3),
    lambda: nn.Polynomial(2, 3, levels=4),
    lambda: nn.Bottleneck(3, 1, target="eps"),
    lambda: nn.MLP(3, 8, 1),
)


@pytest.mark.parametrize("make", NETS)
def test_every_architecture_comes_back_as_it_was(make, tmp_path):
    net = make()
    rng = np.random.default_rng(0)
    for value in net.parameters.values():
        value += rng.standard_normal(value.shape).astype(np.float32)
    checkpoint.save(tmp_path / "c.npz", nn.State(net, net, nn.Adam(net.parameters, weight_decay=0.2), rng))
    loaded = checkpoint.load_net(tmp_path / "c.npz", like=make())
    assert type(loaded) is type(net)
    x = net.example(rng)[0].astype(np.float32)
    np.testing.assert_array_equal(loaded(x, 0.5, 0.6), net(x, 0.5, 0.6))
    assert checkpoint.load(tmp_path / "c.npz").adam.weight_decay == 0.2


def test_checkpoint_of_another_kind_is_refused(state, tmp_path):
    checkpoint.save(tmp_path / "c.npz", state)
    with pytest.raises(ValueError, match="holds a ResNet, expected a UNet"):
        checkpoint.load_net(tmp_path / "c.npz", like=nn.UNet((4,), 1))


class Own(nn.Linear):
    """A network of a learner's own."""


def test_network_of_a_learner_comes_back_if_its_class_is_named(tmp_path):
    net = Own(2)
    checkpoint.save(tmp_path / "c.npz", nn.State(net, net, nn.Adam(net.parameters), np.random.default_rng(0)))
    with pytest.raises(ValueError, match=r"holds a 'Own', expected one of ResNet.*kinds=\[...\]"):
        checkpoint.load(tmp_path / "c.npz")
    assert type(checkpoint.load_net(tmp_path / "c.npz", kinds=[Own])) is Own


def test_checkpoint_from_before_there_were_other_architectures_is_read(state, tmp_path):
    checkpoint.save(tmp_path / "c.npz", state)
    with np.load(tmp_path / "c.npz") as file:
        arrays = {name: file[name] for name in file if name not in ("norms", "rates")}
    header = json.loads(str(arrays["header"]))
    del header["kind"], header["adam"]["epsilon"], header["adam"]["weight_decay"]
    for name in checkpoint.OLDER:
        del header["settings"][name]
    for name in ("classes", "attention", "heads", "groups", "dropout"):
        del header["net"][name]
    np.savez(tmp_path / "old.npz", **{**arrays, "header": np.array(json.dumps(header))})
    loaded = checkpoint.load(tmp_path / "old.npz")
    assert loaded.net.config == state.net.config
    assert (loaded.settings, loaded.rates) == (state.settings, state.rates)
    states = nn.train(loaded.net, IMAGES, ed.schedule.cosine(), None, 2, batch=4, state=loaded)
    assert list(states) == []  # all of its two steps are done


HOSTILE = (
    {"channels": 10**9},
    {"channels": "many"},
    {"attention": [10**9]},
    {"color": 3},
    [],
    {"depth": 10**7},
    {"depth": 10**18},
    {"embedding_size": 10**12},
    {"classes": 10**12},
    {"sigma_data": float("inf")},
    {"dropout": float("nan")},
    {"sigma_data": 1e300},
    {"sigma_data": 1e-300},
)


@pytest.mark.parametrize("config", HOSTILE)
def test_hostile_settings_are_named(config, state, tmp_path):
    checkpoint.save(tmp_path / "c.npz", state)
    with np.load(tmp_path / "c.npz") as file:
        arrays = dict(file)
    header = json.loads(str(arrays["header"]))
    header["net"] = {**header["net"], **config} if config else config
    np.savez(tmp_path / "c.npz", **{**arrays, "header": np.array(json.dumps(header))})
    with pytest.raises(ValueError, match="not a whole edudiff checkpoint"):
        checkpoint.load(tmp_path / "c.npz")


@pytest.mark.parametrize(
    "changes",
    [
        {"step": float("inf")},
        {"step": -1},
        {"step": 3},
        {"step": 2.0},
        {"step": None},
        {"seconds": float("nan")},
        {"seconds": -0.5},
        {"seconds": True},
        {"adam": {"count": -1}},
        {"settings": None},
        {"settings": {"batch": 0}},
        {"settings": {"decay": "never"}},
        {"rng": {"bit_generator": "PCG64", "state": {"state": -1, "inc": 10**60}}},
        {"rng": None},
        {"adam": {"count": float("inf")}},
        {"adam": {"count": 1, "beta1": "much"}},
        {"adam": None},
        *({"adam": {"count": 2, "beta2": value}} for value in (1.0, 5.0, -1)),
        *({"adam": {"count": 2, "epsilon": value}} for value in (0.0, 1e300)),
        {"adam": {"count": 2, "weight_decay": 9.0}},
        {"adam": {"count": 10**400}},
        *({"settings": {"batch": value}} for value in (10**9, [4, 10**9])),
        *({"settings": {name: 10**400}} for name in ("steps", "warmup")),
        {"settings": {"rate": 1e300}},
        {"net": None},
        {"kind": ["ResNet"]},
        {"format": None},
        {"a remark": float("nan")},
    ],
)
def test_a_header_with_other_values_is_named(changes, state, tmp_path):
    checkpoint.save(tmp_path / "c.npz", state)
    with np.load(tmp_path / "c.npz") as file:
        arrays = dict(file)
    header = json.loads(str(arrays["header"])) | changes
    np.savez(tmp_path / "c.npz", **{**arrays, "header": np.array(json.dumps(header))})
    with pytest.raises(ValueError, match=r"c\.npz is not a whole edudiff checkpoint"):
        checkpoint.load(tmp_path / "c.npz")


@pytest.mark.parametrize("name", ("net/in.w", "ema/out.b", "losses", "header"))
def test_a_small_file_that_unpacks_to_much_is_refused_before_it_is(name, state, tmp_path):
    checkpoint.save(tmp_path / "c.npz", state)
    with np.load(tmp_path / "c.npz") as file:
        arrays = dict(file)
    huge = np.array("x" * 2**23) if name == "header" else np.zeros((2**21, 4), np.float32)
    np.savez_compressed(tmp_path / "c.npz", **{**arrays, name: huge})
    assert (tmp_path / "c.npz").stat().st_size < 2**20
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"c\.npz is not a whole edudiff checkpoint"):
            checkpoint.load(tmp_path / "c.npz")
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()


def test_an_array_that_claims_more_than_its_file_has_is_refused_before_there_is_room_for_it(state, tmp_path):
    checkpoint.save(tmp_path / "c.npz", state)
    header = {"shape": (2**40,), "fortran_order": False, "descr": "<f8"}
    with zipfile.ZipFile(tmp_path / "d.npz", "w") as file, zipfile.ZipFile(tmp_path / "c.npz") as old:
        for name in old.namelist():
            with file.open(name, "w") as member:
                if name == "losses.npy":
                    np.lib.format.write_array_header_1_0(member, header)
                else:
                    member.write(old.read(name))
    with pytest.raises(ValueError, match=r"losses\.npy would take 8,796,093,022,208 bytes"):
        checkpoint.load(tmp_path / "d.npz")


def test_more_monomials_than_can_be_counted_are_refused_at_once():
    with pytest.raises(ValueError, match=r"degree 1000000000 in 1000000000 dimensions.*at most 20000"):
        nn.Polynomial(10**9, 10**9)


@pytest.mark.parametrize("group", ("net", "ema", "m", "v"))
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda a: np.where(np.arange(a.size).reshape(a.shape) == 1, np.nan, a), "holds 1 NaN or infinite values"),
        (lambda a: a * np.float32(np.inf), "NaN or infinite"),
        (lambda a: a.astype(np.int32), "dtype int32, expected float32 or float64"),
        (lambda a: a.astype(np.float16), "those before it have float"),
        (lambda a: a.astype(np.complex64), "dtype complex64"),
        (lambda a: a.astype(str), "dtype <U"),
        (lambda a: a.astype(np.float64), "but those before it have float32"),
        (lambda a: a[None], "expected"),
    ],
)
def test_weights_that_are_no_finite_floats_are_refused(group, change, says, state, tmp_path):
    checkpoint.save(tmp_path / "c.npz", state)
    with np.load(tmp_path / "c.npz") as file:
        arrays = {name: change(file[name]) if name == f"{group}/in.w" else file[name] for name in file}
    np.savez(tmp_path / "c.npz", **arrays)
    with pytest.raises(ValueError, match=says):
        checkpoint.load(tmp_path / "c.npz")


def test_mean_squares_below_zero_are_refused(state, tmp_path):
    """Adam would take their root."""
    checkpoint.save(tmp_path / "c.npz", state)
    with np.load(tmp_path / "c.npz") as file:
        arrays = {name: -1 - abs(file[name]) if name == "v/in.w" else file[name] for name in file}
    np.savez(tmp_path / "c.npz", **arrays)
    with pytest.raises(ValueError, match=r"c\.npz is not a whole edudiff checkpoint \(its mean squares"):
        checkpoint.load(tmp_path / "c.npz")


def test_arguments_in_the_wrong_order_are_told_the_right_one(state, tmp_path):
    with pytest.raises(TypeError, match=r"expected save\(path, state\) or save\(path, net\)"):
        checkpoint.save(state.net, tmp_path / "c.npz")


@pytest.mark.parametrize("dtype", ("float32", "float64"))
def test_a_network_alone_is_kept_too(dtype, tmp_path):
    net = nn.UNet((4, 4), 1, classes=2, rng=np.random.default_rng(3), dtype=dtype)
    checkpoint.save(tmp_path / "c.npz", net)
    loaded = checkpoint.load_net(tmp_path / "c.npz", like=net)
    assert list(loaded.parameters) == list(net.parameters)
    for name, value in net.parameters.items():
        np.testing.assert_array_equal(loaded.parameters[name], value)
        assert loaded.parameters[name].dtype == dtype
    with pytest.raises(ValueError, match=r"c\.npz .*holds a network alone, which load_net reads"):
        checkpoint.load(tmp_path / "c.npz")


def test_array_of_another_shape_is_refused(state, tmp_path):
    state.net.parameters["out.w"] = np.zeros((3, 3, 5, 1), np.float32)
    checkpoint.save(tmp_path / "c.npz", state)
    with pytest.raises(ValueError, match=r"net/out\.w has shape \(3, 3, 5, 1\), expected \(3, 3, 4, 1\)"):
        checkpoint.load(tmp_path / "c.npz")


def test_failed_save_keeps_the_older_checkpoint_and_leaves_nothing_behind(state, tmp_path, monkeypatch):
    path = tmp_path / "c.npz"
    checkpoint.save(path, state)
    before = path.read_bytes()

    def full_disk(file, **arrays):
        file.write(b"half a file")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full_disk)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.save(path, state)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["c.npz"]


@pytest.mark.parametrize("kind", (np.random.MT19937, np.random.Philox, np.random.SFC64, np.random.PCG64DXSM))
def test_every_kind_of_generator_goes_on(kind, tmp_path):
    net, rng = nn.ResNet(4, 1), np.random.Generator(kind(3))
    state = next(nn.train(net, IMAGES, ed.schedule.cosine(), rng, 2, batch=4))
    checkpoint.save(tmp_path / "c.npz", state)
    assert checkpoint.load(tmp_path / "c.npz").rng.random() == state.rng.random()


def test_arrays_in_numpys_newer_format_are_read(state, tmp_path):
    """Version 2.0 of the format, which NumPy takes where a header is long."""
    checkpoint.save(tmp_path / "c.npz", state)
    with np.load(tmp_path / "c.npz") as arrays, zipfile.ZipFile(tmp_path / "newer.npz", "w") as file:
        for name in arrays:
            with file.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, arrays[name], version=(2, 0))
    loaded = checkpoint.load(tmp_path / "newer.npz")
    assert loaded.losses == state.losses
    np.testing.assert_array_equal(loaded.net.parameters["in.w"], state.net.parameters["in.w"])


def test_a_run_has_done_no_fewer_than_no_steps_whether_or_not_its_history_was_kept(state, tmp_path):
    checkpoint.save(tmp_path / "c.npz", state)
    with np.load(tmp_path / "c.npz") as file:
        arrays = {name: file[name] for name in file if name not in checkpoint.HISTORIES}
    for step in (-1, 0, 2):
        header = json.loads(str(arrays["header"])) | {"step": step}
        np.savez(tmp_path / "d.npz", **{**arrays, "header": np.array(json.dumps(header))})
        if step < 0:
            with pytest.raises(ValueError, match="step is -1"):
                checkpoint.load(tmp_path / "d.npz")
        else:
            assert len(checkpoint.load(tmp_path / "d.npz").rates) == step
