import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from graphkd.deploy.exports.int8 import WIDEST, fits_int8, quantised
from graphkd.deploy.network import Layer, Network


@given(arrays.arrays(np.float32, (3, 5), elements=st.floats(-4, 4, width=32)))
def test_a_weight_is_off_by_half_a_step_at_most(weight: np.ndarray) -> None:
    found = quantised(Layer(weight, np.zeros(3, np.float32), hidden=False))
    for row, codes, scale in zip(weight, found.codes, found.scale, strict=True):
        top = max(abs(value) for value in row)
        assert scale == np.float32(float(top) / 127)
        for value, code in zip(row, codes, strict=True):
            assert -127 <= code <= 127
            assert (
                abs(float(value) - float(scale) * code) <= 0.5 * float(scale) * (1 + 1e-4) + 1e-43
            )  # scales of denormal weights are rounded


def test_sums_that_leave_32_bits() -> None:
    def network(width: int) -> Network:
        return Network((Layer(np.zeros((1, width), np.float32), np.zeros(1, np.float32), hidden=False),))

    assert fits_int8(network(WIDEST))
    assert not fits_int8(network(WIDEST + 1))
    assert 255 * 127 * WIDEST < 2**31
