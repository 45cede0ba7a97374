"""Messages between the grader and a submission: what is sent arrives, what is forged is refused."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edudiff.course.answers import print_of
from edudiff.course.sandbox import wire

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats()
    | st.text(max_size=5)
    | hnp.arrays(
        st.sampled_from(["f4", ">f8", "i2", "?", "c16"]), hnp.array_shapes(min_dims=0, min_side=0, max_side=3)
    ),
    lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple),
    max_leaves=6,
)


class Pipe:
    """What one side writes, the other reads."""

    def __init__(self, data=b""):
        self.data = data

    def write(self, data):
        self.data += data

    def flush(self):
        pass

    def read(self, count):
        got, self.data = self.data[:count], self.data[count:]
        return got


@settings(max_examples=15)
@given(VALUES)
def test_messages_arrive_as_they_were_sent(value):
    pipe = Pipe()
    wire.send(pipe, value)
    arrived = wire.receive(pipe)
    assert pipe.data == b""
    assert print_of(arrived) == print_of(value)


@pytest.mark.parametrize("sizes", [(wire.MOST_TEXT + 1, 0), (2, wire.MOST_BYTES + 1)])
def test_a_message_that_claims_to_be_huge_is_not_read(sizes):
    with pytest.raises(wire.WireError, match="claims"):
        wire.receive(Pipe(wire.HEAD.pack(*sizes)))


@pytest.mark.parametrize(
    "array",
    [["<M8[s]", [1]], ["|V8", [1]], ["|O8", [1]], ["<f8", [-1]], ["<f8", [2]], ["<f8", [0.5]], ["<f8", [0, 1 << 40]]],
)
def test_arrays_hold_plain_numbers_that_are_there(array):
    text = json.dumps({"array": array, "scalar": False}).encode()
    with pytest.raises(wire.WireError, match="not a message"):
        wire.receive(Pipe(wire.HEAD.pack(len(text), 8) + text + bytes(8)))


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_bytes_are_a_message_or_an_error(text, blob):
    with pytest.raises((wire.WireError, EOFError)):
        wire.receive(Pipe(text))
    with contextlib.suppress(wire.WireError):
        wire.receive(Pipe(wire.HEAD.pack(len(text), len(blob)) + text + blob))
