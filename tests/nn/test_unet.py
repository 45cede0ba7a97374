"""The UNet with each of its knobs: gradients (P47), equivariance (P48), how far it sees (P49), classes and guidance."""

import numpy as np
import pytest

import edudiff as ed
from edudiff.nn import ResNet, UNet, check_gradients, receptive_field
from edudiff.support.random import streams

SCHEDULE = ed.schedule.cosine()


def random_net(channels=(3, 4, 6), depth=1, seed=0, kind=UNet, **settings):
    """A small float64 network none of whose parameters is zero."""
    net = kind(channels, depth, rng=np.random.default_rng(seed), dtype=np.float64, embedding_size=6, **settings)
    rng = np.random.default_rng((seed, 1))
    for value in net.parameters.values():
        value += 0.1 * rng.standard_normal(value.shape)
    return net


def pictures(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def test_what_is_scaled_up_or_down_keeps_its_size_before_training():
    net = UNet((32, 32), 1, pooling="strided", upsampling="transposed", rng=np.random.default_rng(0))
    p, x = net.parameters, pictures(4, 8, 8, 32)
    up = net.layers.conv_transpose(x, p["upsample0.w"], p["upsample0.b"], (16, 16), "circular")[0]
    down = net.layers.conv(x, p["pool0.w"], p["pool0.b"], "circular", 2)[0]
    assert np.mean(up**2) == pytest.approx(1, rel=0.15)
    assert np.mean(down**2) == pytest.approx(1, rel=0.15)


@pytest.mark.parametrize(
    ("settings", "shape"),
    (
        ({}, (2, 8, 8, 1)),
        ({"pooling": "average", "upsampling": "bilinear", "image_channels": 3}, (2, 7, 9, 3)),
        ({"pooling": "strided", "upsampling": "transposed", "padding": "circular"}, (2, 10, 5, 1)),
        ({"pooling": "none", "padding": "reflect"}, (1, 6, 5, 1)),
        ({"padding": "reflect", "pooling": "strided", "activation": "gelu"}, (1, 9, 10, 1)),
        ({"skips": False}, (2, 7, 6, 1)),
        ({"attention": (0, 2), "heads": 2, "channels": (4, 4, 6), "groups": 2}, (2, 6, 5, 1)),
        ({"channels": (3,), "depth": 2, "target": "v", "padding_channel": False}, (2, 5, 5, 1)),
    ),
)
def test_gradient_of_every_parameter_p47(settings, shape):
    check_gradients(random_net(**settings), pictures(*shape), 0.6, 0.7)


@pytest.mark.parametrize("kind", (UNet, ResNet))
def test_gradient_with_classes_and_dropout_p47(kind):
    net = random_net(4 if kind is ResNet else (3, 4), kind=kind, classes=3, dropout=0.3)
    x, labels = pictures(4, 5, 6, 1), np.array([0, 3, 2, 2])  # 3 is the null class
    check_gradients(Steered(net, labels), x)
    out, cache = net.forward(x, 0.6, 0.7, labels)
    touched = np.abs(net.backward(np.ones_like(out), cache)["class.table"]).sum(axis=1) > 0
    np.testing.assert_array_equal(touched, [True, False, True, True])


class Steered:
    """A network of x alone: labels and dropout masks are fixed."""

    def __init__(self, net, labels):
        self.net, self.labels, self.parameters, self.backward = net, labels, net.parameters, net.backward

    def forward(self, x):
        return self.net.forward(x, 0.6, 0.7, self.labels, streams(0, len(x)))

    def with_parameters(self, parameters):
        return Steered(self.net.with_parameters(parameters), self.labels)


def test_jacobian_by_backprop_is_the_slope_along_a_random_direction():
    net, x, direction = random_net(attention=(1,)), pictures(1, 6, 7, 1), pictures(1, 6, 7, 1, seed=1)
    out, cache = net.forward(x, 0.6, 0.7)
    dout = pictures(*out.shape, seed=2)
    slope = (net(x + 1e-5 * direction, 0.6, 0.7) - net(x - 1e-5 * direction, 0.6, 0.7)) / 2e-5
    assert np.sum(dout * slope) == pytest.approx(np.sum(net.input_gradient(dout, cache) * direction), rel=1e-6)


@pytest.mark.parametrize("pooling", ("max", "average", "strided"))
@pytest.mark.parametrize("upsampling", ("nearest", "bilinear", "transposed"))
def test_circular_unet_commutes_with_shifts_by_whole_tiles_only_p48(pooling, upsampling):
    """P48: two poolings make tiles of 4 pixels."""
    net, x = random_net(pooling=pooling, upsampling=upsampling, padding="circular"), pictures(1, 12, 16, 1)
    for shift, equal in (((4, 8), True), ((1, 0), False)):
        moved = net(np.roll(x, shift, axis=(1, 2)), 0.6, 0.8)
        assert np.allclose(moved, np.roll(net(x, 0.6, 0.8), shift, axis=(1, 2)), atol=1e-12) == equal


def test_without_pooling_a_circular_unet_commutes_with_every_shift_and_a_zero_padded_one_with_none_p48():
    x = pictures(1, 7, 6, 1)
    for padding, equal in (("circular", True), ("zero", False), ("reflect", False)):
        net = random_net(pooling="none", padding=padding)
        moved = net(np.roll(x, (2, 3), axis=(1, 2)), 0.6, 0.8)
        assert np.allclose(moved, np.roll(net(x, 0.6, 0.8), (2, 3), axis=(1, 2)), atol=1e-12) == equal


def test_receptive_field_of_the_published_shape_is_above_32_p49():
    """Kamb & Ganguli 2024: the UNet sees more than 32 pixels; without pooling it sees 1 + 2 L, L its convolutions."""
    assert 32 < receptive_field(UNet((3, 4, 5), 2), size=65) < 65
    assert receptive_field(UNet((3, 4, 5), 1, pooling="none"), size=33) == 1 + 2 * 6
    sides = {pooling: receptive_field(UNet((3, 4), 1, pooling=pooling), size=33) for pooling in ("max", "average")}
    assert sides["max"] == sides["average"]  # they pass on the same pixels
    assert receptive_field(UNet((3, 4), 1, attention=(1,)), size=21) == 21


def test_without_skip_connections_all_that_an_answer_depends_on_goes_through_the_coarsest_scale():
    """The rank of the Jacobian is at most the number of values there: one channel of 3 x 3 pixels."""
    x, ranks = np.tile(pictures(1, 6, 6, 1), (36, 1, 1, 1)), {}
    for skips in (True, False):
        net = random_net((3, 1), target="x0", skips=skips)
        _, cache = net.forward(x, 0.6, 0.8)
        rows = net.input_gradient(np.eye(36).reshape(x.shape), cache).reshape(36, 36)
        ranks[skips] = np.linalg.matrix_rank(rows, tol=1e-9)
    assert ranks[False] <= 9 < ranks[True]


@pytest.mark.parametrize("shape", ((1, 1, 1, 1), (2, 1, 3, 1), (3, 5, 4, 1)))
def test_images_of_any_size_keep_it(shape):
    assert random_net()(pictures(*shape), 0.5, 0.5).shape == shape


def test_backends_agree_in_float32():
    pytest.importorskip("numba")
    made = {"attention": (1,), "heads": 2, "groups": 4, "rng": None}
    nets = [UNet((16, 16), 1, backend=backend, **made) for backend in ("numpy", "numba")]
    for net in nets:
        net.parameters["out.w"] += 0.1
    x = pictures(2, 9, 8, 1).astype(np.float32)
    np.testing.assert_allclose(nets[0](x, 0.5, 0.8), nets[1](x, 0.5, 0.8), atol=2e-5)


@pytest.mark.parametrize("kind", (UNet, ResNet))
def test_class_network_runs_on_the_device(kind, any_cupy):
    channels = 4 if kind is ResNet else (4, 4)
    attention = {"attention": (0,), "groups": 2, "padding": "reflect"}
    net = random_net(channels, kind=kind, classes=3, **attention)
    x, labels = pictures(2, 6, 5, 1), np.array([2, 0])
    host = net.conditional(labels, guidance=1.0)(x, 0.6, 0.7)
    device = any_cupy.asarray(x)
    moved = net.to(device)
    np.testing.assert_allclose(moved.conditional(labels, guidance=1.0)(device, 0.6, 0.7).get(), host, atol=1e-10)
    out, cache = moved.forward(device, 0.6, 0.7, labels, streams(0, 2))
    assert set(moved.backward(out, cache)) == set(net.parameters)


def test_guidance_goes_beyond_the_class_away_from_no_class():
    """Ho & Salimans 2022, eq. 6: noise_hat = (1 + w) noise_hat(class) - w noise_hat(no class)."""
    net, x, (alpha, sigma) = random_net((3, 4), classes=3), pictures(2, 5, 6, 1), (0.6, 0.7)

    def noise_hat(denoise):
        return ed.forward.noise_from_x0(x, denoise(x, alpha, sigma), alpha, sigma)

    of_class, without = noise_hat(net.conditional(1)), noise_hat(net)
    assert not np.allclose(of_class, without)
    np.testing.assert_allclose(noise_hat(net.conditional(1, guidance=2.0)), 3 * of_class - 2 * without, atol=1e-10)
    np.testing.assert_allclose(noise_hat(net.conditional(1, guidance=-1.0)), without, atol=1e-10)


def test_no_class_is_the_last_row_of_the_table():
    net, x = random_net((3, 4), classes=3), pictures(2, 5, 6, 1)
    null, _ = net.forward(x, 0.6, 0.7, np.array([3, 3]))
    np.testing.assert_array_equal(net(x, 0.6, 0.7), null)
    assert len(net.parameters["class.table"]) == 4


def test_each_image_gets_its_own_class():
    net, x = random_net((3, 4), classes=3), pictures(3, 5, 6, 1)
    together = net.conditional(np.array([2, 0, 1]))(x, 0.6, 0.7)
    alone = np.concatenate([net.conditional(label)(x[i : i + 1], 0.6, 0.7) for i, label in enumerate((2, 0, 1))])
    np.testing.assert_allclose(together, alone, atol=1e-12)
    x.flags.writeable = False
    assert net.conditional(1)(x.astype(np.float32), 0.6, 0.7).dtype == np.float32


@pytest.mark.parametrize(
    ("call", "message"),
    (
        (lambda net: net.conditional(3), "label is 3, expected an integer from 0 to 2"),
        (lambda net: net.conditional(-1), "label is -1"),
        (lambda net: net.conditional(1.0), "label is 1.0"),
        (lambda net: net.conditional(1, guidance=np.nan), "guidance is nan"),
        (lambda net: net.conditional([0, 1])(pictures(3, 5, 6, 1), 0.6, 0.7), "2 classes for a batch of 3"),
        (lambda net: net.forward(pictures(2, 5, 6, 1), 0.6, 0.7, [0, 4]), "labels lie in 0 to 4"),
        (lambda net: net.forward(pictures(2, 5, 6, 1), 0.6, 0.7, [0.0, 1.0]), r"expected \(2,\) integers"),
        (lambda net: random_net().conditional(1), "no classes"),
        (lambda net: random_net().forward(pictures(2, 5, 6, 1), 0.6, 0.7, [0, 1]), "no classes"),
    ),
)
def test_bad_classes_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(random_net((3, 4), classes=3))


@pytest.mark.parametrize(
    ("settings", "message"),
    (
        ({"channels": ()}, "channels is empty"),
        ({"channels": 64}, "channels is 64, expected a list"),
        ({"channels": (8, 0)}, "a value of channels is 0"),
        ({"depth": 0}, "depth is 0"),
        ({"pooling": "mean"}, "expected one of 'max', 'average', 'strided', 'none'"),
        ({"upsampling": "cubic"}, "expected one of 'nearest'"),
        ({"attention": (3,)}, "expected scales from 0 to 2"),
        ({"heads": 4}, "heads is 4, expected a divisor of 3"),
        ({"groups": 2}, "groups is 2, expected a divisor of 3"),
    ),
)
def test_bad_settings_are_named(settings, message):
    with pytest.raises((ValueError, TypeError), match=message):
        random_net(**settings)


def test_attention_unet_trains_on_color_images_of_32_pixels():
    images = np.tanh(pictures(4, 32, 32, 3)).astype(np.float32)
    net = UNet((4, 8, 8), 1, attention=(1, 2), heads=2, image_channels=3)
    losses = [s.loss for s in ed.nn.train(net, images, SCHEDULE, np.random.default_rng(0), 12, batch=8, warmup=2)]
    assert np.isfinite(losses).all()
    assert np.mean(losses[-4:]) < np.mean(losses[:4])


def test_attention_and_modulation_start_without_effect():
    """What is added around the convolutions answers zero before training, so that a deep network starts plain."""
    net = UNet((4, 6), 1, attention=(0, 1), rng=np.random.default_rng(0))
    start = [name for name in net.parameters if name.endswith((".attention.out.w", ".cond.w")) or name == "out.w"]
    assert len(start) > 5
    for name in start:
        assert not net.parameters[name].any(), name


@pytest.mark.parametrize("shape", [(1, 2, 8, 1), (1, 8, 2, 1), (1, 1, 1, 1)])
def test_images_too_small_to_wrap_are_refused_on_either_side(shape):
    net = UNet((4, 6), 1, padding="circular", rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="at least 3 x 3 pixels"):
        net(np.zeros(shape), 0.8, 0.6)


def test_a_negative_number_of_groups_is_refused():
    with pytest.raises(ValueError, match="groups is -1"):
        UNet((4, 6), 1, groups=-1)
