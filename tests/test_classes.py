import numpy as np
import pytest

from graphkd import GraphKDError
from graphkd.classes import class_array, class_name


def test_names_keep_their_type_and_value() -> None:
    assert [type(class_name(name)) for name in (np.True_, np.int64(2), np.str_("a"))] == [bool, int, str]
    for names, kind in (
        ([True, False], "b"),
        ([1, 2**62], "i"),
        (["a", "b"], "U"),
        ([1, 2**70], "O"),
        ([1, "1"], "O"),
    ):
        found = class_array(names, 2)
        assert (found.tolist(), found.dtype.kind) == (names, kind)
    assert class_array(None, 3).tolist() == [0, 1, 2]


@pytest.mark.parametrize("name", [1.5, None, b"a"])
def test_other_names_are_refused(name: object) -> None:
    with pytest.raises(GraphKDError, match="classes are whole numbers, texts or booleans"):
        class_name(name)
