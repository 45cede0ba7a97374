"""One dataclass of settings for each network: constructor, docstring, checkpoint and repr follow from it."""

import copy
import dataclasses
import inspect
import json

import numpy as np
import pytest

import edudiff as ed
from edudiff import nn
from edudiff.nn import layers
from edudiff.nn.config import ConvConfig
from edudiff.nn.flat import PolynomialConfig
from edudiff.nn.resnet import ResNetConfig
from edudiff.support.backends import choose

KINDS = (nn.ResNet, nn.UNet, nn.Linear, nn.Polynomial, nn.Bottleneck, nn.MLP)
SMALL = {
    nn.ResNet: (4, 1),
    nn.UNet: ((4, 4), 1),
    nn.Linear: (2,),
    nn.Polynomial: (2, 3),
    nn.Bottleneck: (2, 1),
    nn.MLP: (2, 8),
}


def test_channels_depth_and_padding_need_no_names():
    net = nn.ResNet(4, 1, "circular")
    assert (net.config.channels, net.config.depth, net.config.padding) == (4, 1, "circular")
    assert nn.UNet((4, 4), 1, "reflect").config.padding == "reflect"
    with pytest.raises(TypeError, match="positional"):
        nn.ResNet(4, 1, "zero", "edm")


def test_settings_cannot_be_changed_afterwards():
    with pytest.raises(dataclasses.FrozenInstanceError):
        nn.ResNet(4, 1).config.target = "eps"


@pytest.mark.parametrize("kind", SMALL)
def test_settings_survive_json(kind):
    config = kind(*SMALL[kind]).config
    assert type(config)(**json.loads(json.dumps(dataclasses.asdict(config)))) == config


@pytest.mark.parametrize("kind", SMALL)
def test_signature_and_docstring_name_every_setting(kind):
    settings = [f.name for f in dataclasses.fields(kind(*SMALL[kind]).config)]
    assert set(inspect.signature(kind).parameters) == {*settings, "rng", "dtype", "backend"}
    for name in (*settings, "rng"):
        assert f"\n    {name}: " in kind.__doc__


def test_repr_names_the_first_settings_those_that_are_not_usual_and_what_was_made():
    assert repr(nn.ResNet(64, 2)) == (
        "ResNet(channels=64, depth=2, padding='zero', parameters=133,505, receptive_field=9)"
    )
    assert "depth=1, padding='zero', target='flow', attention=(0,), " in repr(
        nn.ResNet(4, 1, attention=[0], target="flow")
    )
    assert repr(nn.Bottleneck(3, 1)) == "Bottleneck(dimensions=3, k=1, parameters=134)"
    assert "target='edm'" in repr(nn.Bottleneck(3, 1, target="edm"))
    assert repr(ResNetConfig(8)) == "ResNetConfig(channels=8, depth=4, padding='zero')"


def test_repr_of_training_has_numbers_and_no_arrays():
    net = nn.ResNet(4, 1, classes=2)
    images = np.zeros((4, 5, 5, 1), np.float32)
    states = nn.train(net, images, ed.schedule.cosine(), np.random.default_rng(0), 2, labels=np.arange(4) % 2)
    state = next(states)
    assert repr(state) == f"State(step=1, loss={state.loss:.4g}, net={net!r})"
    assert repr(state.adam).startswith(
        "Adam(beta1=0.9, beta2=0.99, epsilon=1e-08, weight_decay=0, count=1, parameters="
    )
    assert repr(net.conditional(1, 2.0)) == f"Guided(Conditional({net!r}, label=1), {net!r}, weight=3)"
    assert repr(net.conditional([0, 1])) == f"Conditional({net!r}, 2 labels)"


@pytest.mark.parametrize("pooling", ("max", "average", "strided", "none"))
@pytest.mark.parametrize("upsampling", ("nearest", "bilinear", "transposed"))
def test_receptive_field_of_a_unet_does_not_depend_on_its_channels(pooling, upsampling):
    net = nn.UNet((3, 4), 1, pooling=pooling, upsampling=upsampling)
    assert net.receptive_field == nn.receptive_field(net, size=65) < 65
    assert nn.UNet((3, 4), 1, groups=1).receptive_field == np.inf


def test_back_end_is_chosen_when_parameters_come_or_move(any_cupy):
    net = nn.ResNet(4, 0)
    assert net.backend == choose(None, np.zeros(1))
    moved = net.to(any_cupy.zeros(1))
    assert (moved.backend, moved.layers) == ("cupy", layers)
    assert moved.to(np.zeros(1)).backend == net.backend
    with pytest.raises(ValueError, match="'numpy' but the arrays are on a GPU"):
        nn.ResNet(4, 0, backend="numpy").to(any_cupy.zeros(1))
    waiting = nn.ResNet(4, 0, backend="cupy")
    with pytest.raises(ValueError, match="'cupy' but the arrays are NumPy arrays"):
        waiting(np.zeros((1, 5, 5, 1)), 0.5, 0.5)
    assert waiting.to(any_cupy.zeros(1)).backend == "cupy"
    with pytest.raises(ValueError, match="backend is 'torch'"):
        nn.ResNet(4, 0, backend="torch")


def test_network_can_be_copied():
    net, x = nn.ResNet(4, 1), np.ones((1, 5, 5, 1))
    other = copy.deepcopy(net)
    net.parameters["out.w"] += 1
    assert np.abs(net(x, 0.5, 0.5) - other(x, 0.5, 0.5)).max() > 0


class Mean(nn.Net):
    """A network of a learner's own: the answer is one number, whatever x."""

    config: nn.NetConfig

    def initial(self, make):
        make.constant("mean", (1,), 0.0)

    def answer(self, x, c_noise, labels=None, rng=None):
        return 0 * x + self.parameters["mean"], None

    def answer_backward(self, dout, cache, need_dx=False):
        return {"mean": dout.sum().reshape(1)}, 0 * dout


def test_network_of_a_learner_takes_the_settings_of_all():
    net = Mean(target="x0")
    assert repr(net) == "Mean(target='x0', parameters=1)"
    points = np.array([[1.0], [3.0]], np.float32)
    *_, state = nn.train(net, points, ed.schedule.cosine(), np.random.default_rng(0), 300, rate=0.1, weighting="x0")
    assert state.net(points, 0.5, 0.5) == pytest.approx(2.0, abs=0.2)
    nn.check_gradients(net, points, 0.5, 0.5)


@pytest.mark.parametrize("kind", SMALL)
def test_a_setting_takes_its_least_value_and_none_below(kind):
    config = kind(*SMALL[kind]).config
    for field in dataclasses.fields(config):
        least = field.metadata["least"]
        if least is not None:
            make = (lambda value: (value,) * 2) if isinstance(getattr(config, field.name), tuple) else int
            kept = dataclasses.replace(config, **{field.name: make(least)})
            assert getattr(kept, field.name) == make(least)
            with pytest.raises(ValueError, match=field.name):
                dataclasses.replace(config, **{field.name: make(least - 1)})


MAY_BE_NONE = {"attention", "groups", ("MLP", "depth"), ("ResNet", "depth")}


@pytest.mark.parametrize("kind", SMALL)
def test_of_what_is_counted_there_is_at_least_one_but_for_what_a_network_may_do_without(kind):
    for field in dataclasses.fields(kind.Config):
        if field.type in (int, tuple[int, ...], int | None) and not field.metadata["check"]:
            without = bool(MAY_BE_NONE & {field.name, (kind.__name__, field.name)})
            assert field.metadata["least"] == (0 if without else 1), field.name


def test_an_architecture_of_a_learner_has_a_block_unless_it_says_otherwise():
    assert ConvConfig(4, 1).depth == 1
    with pytest.raises(ValueError, match="depth is 0"):
        ConvConfig(4, 0)


def test_the_smallest_network_has_one_of_each():
    assert nn.ResNet(1, 0, classes=1, heads=1, image_channels=1).config.classes == 1
    assert nn.UNet((1, 1), 1, heads=1).config.channels == (1, 1)
    assert nn.MLP(1, 1, 0).config.depth == 0
    assert nn.Bottleneck(1, 1, levels=1).config.k == 1
    assert nn.Polynomial(1, 1).config.degree == 1


def test_the_size_of_the_data_is_a_number_that_single_precision_can_square():
    for size in (1e-9, 1e9):
        assert nn.Linear(2, sigma_data=size).config.sigma_data == size
    for size in (0.9e-9, 1.1e9):
        with pytest.raises(ValueError, match="expected 1e-9 to 1e9"):
            nn.Linear(2, sigma_data=size)


def test_an_embedding_is_half_sines_half_cosines():
    assert nn.ResNet(4, 1, embedding_size=2).parameters["embedding.w"].shape[0] == 2
    for size in (0, 1, 3, 7):
        with pytest.raises(ValueError, match=f"embedding_size is {size}"):
            nn.ResNet(4, 1, embedding_size=size)


def test_a_polynomial_has_up_to_20_000_monomials():
    """Of degree 1 in D dimensions there are D."""
    assert PolynomialConfig(20_000, degree=1).terms == 20_000
    with pytest.raises(ValueError, match="expected at most 20000"):
        PolynomialConfig(20_001, degree=1)


def test_attention_the_condition_and_the_last_layer_say_nothing_before_training():
    """They start at zero; what leads up to them keeps the size of what passes."""
    net = nn.UNet((32, 32), 1, classes=200, attention=(1,), rng=np.random.default_rng(0))
    for name, value in net.parameters.items():
        if name.endswith((".attention.out.w", ".cond.w")) or name == "out.w":
            assert (value == 0).all(), name
    for name, deviation in (("down1.attention.in.w", 32**-0.5), ("class.table", 1.0), ("embedding.w", 64**-0.5)):
        value = net.parameters[name]
        assert value.std() == pytest.approx(deviation, rel=5 / np.sqrt(2 * value.size)), name


def test_what_a_unet_sees_is_measured_up_to_65_pixels():
    assert nn.UNet((1,) * 5, 2).receptive_field == 65
