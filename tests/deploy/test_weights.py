import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors.numpy import load, save

from graphkd.deploy.weights import TYPES, arrays_of

KINDS = st.sampled_from([np.dtype(kind) for kind in TYPES.values()])
TABLES = arrays.arrays(KINDS, arrays.array_shapes(min_dims=0, min_side=0, max_dims=3, max_side=4))


@given(st.dictionaries(st.text(min_size=1, max_size=8), TABLES, max_size=4))
def test_arrays_are_those_that_safetensors_reads(tensors: dict[str, np.ndarray]) -> None:
    content = save(tensors, {"of": "somebody"})
    found, expected = arrays_of(content), load(content)
    assert found.keys() == expected.keys() == tensors.keys()
    for name, array in expected.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].tobytes() == array.tobytes()


def file(**entry: object) -> bytes:
    header = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **entry}}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(8)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 20,
        (3).to_bytes(8, "little") + b"[]\n",
        file(shape=[3]),
        file(data_offsets=[0, 4]),
        file()[:-1],
        file(data_offsets=[0]),
        file(data_offsets=[8, 16]),
        file(dtype="F8"),
        file(more=1),
    ],
)
def test_what_is_no_such_file(content: bytes) -> None:
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        arrays_of(content)
