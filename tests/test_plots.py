import sys

import pytest

from graphkd import GraphKDError
from graphkd.plots import check_plot, literal, png


def test_without_matplotlib_the_line_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    check_plot()
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(GraphKDError, match=r"a plot needs matplotlib: pip install 'graphkd\[plot\]'"):
        check_plot()


def test_a_dollar_sign_is_no_formula_and_equal_pictures_have_equal_bytes() -> None:
    from matplotlib.figure import Figure

    def draw(text: str) -> bytes:
        figure = Figure(figsize=(2, 1))
        figure.suptitle(text)
        return png(figure)

    assert draw(literal("$a_1$")) == draw(literal("$a_1$"))
    assert draw(literal("$a_1$")) != draw("$a_1$")
