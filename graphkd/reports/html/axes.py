"""Axes of a chart in SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from graphkd.reports.html.tags import Html, joined, tag

WIDTH, HEIGHT = 320.0, 200.0
"""Size of a chart in its own units; it is scaled to the page."""

LEFT, RIGHT, TOP, BOTTOM = 46.0, 310.0, 12.0, 164.0
"""Borders of the area in which data are drawn."""


@dataclass(frozen=True)
class Axis:
    """Values → coordinates.

    Args:
        low: value at ``start``.
        high: value at ``end``, above ``low``.
        start: coordinate.
        end: coordinate.
        is_log: whether equal ratios, instead of equal differences, have equal lengths.
    """

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    @classmethod
    def over(cls, values: Sequence[float], start: float, end: float, is_log: bool = False) -> Axis:
        """Returns the axis of values, with a margin of 4 % at both ends.

        Args:
            values: at least one; above 0 for a logarithmic axis.
            start: coordinate of the smallest.
            end: coordinate of the largest.
            is_log: see ``Axis``.
        """
        low, high = min(values), max(values)
        if is_log:
            margin = max((high / low) ** 0.04, 1.05)
            return cls(low / margin, high * margin, start, end, True)
        margin = 0.04 * (high - low) or 0.02 * abs(high) or 1.0
        return cls(low - margin, high + margin, start, end)

    def at(self, value: float) -> float:
        """Returns the coordinate of a value."""
        low, high, value = (math.log(each) if self.is_log else each for each in (self.low, self.high, value))
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    @property
    def ticks(self) -> list[float]:
        """About five round values within the axis."""
        return self._log_ticks if self.is_log and self.high / self.low > 4 else self._even_ticks

    @property
    def _even_ticks(self) -> list[float]:
        step = _round_up((self.high - self.low) / 5)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [step * at for at in range(first, last + 1)]

    @property
    def _log_ticks(self) -> list[float]:
        exponents = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for digits in ((1, 2, 5), (1,)):
            found = [digit * 10.0**at for at in exponents for digit in digits]
            found = [value for value in found if self.low <= value <= self.high]
            if len(found) <= 7:
                break
        return found[:: 1 + len(found) // 8]


def _round_up(value: float) -> float:
    """Returns the smallest of 1, 2 and 5 times a power of ten that is not below a positive value."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * digit for digit in (1, 2, 5, 10) if power * digit >= value * (1 - 1e-9))


def chart(x: Axis, y: Axis, x_label: str, title: str, *marks: Html) -> Html:
    """Formats a chart: a grid with round values, what is drawn on it, and its labels.

    Args:
        x: horizontal axis.
        y: vertical axis.
        x_label: of the horizontal axis.
        title: above the chart, for a reader of the screen as well.
        marks: elements.
    """
    grid = [tag("line", x1=LEFT, x2=RIGHT, y1=y.at(value), y2=y.at(value), class_="grid") for value in y.ticks] + [
        tag("line", x1=x.at(value), x2=x.at(value), y1=TOP, y2=BOTTOM, class_="grid") for value in x.ticks
    ]
    texts = [
        tag("text", shown(value), x=LEFT - 5, y=y.at(value) + 3.5, text_anchor="end") for value in y.ticks
    ] + [tag("text", shown(value), x=x.at(value), y=BOTTOM + 15, text_anchor="middle") for value in x.ticks]
    label = tag("text", x_label, x=(LEFT + RIGHT) / 2, y=HEIGHT - 5, text_anchor="middle")
    box = f"0 0 {WIDTH:.0f} {HEIGHT:.0f}"
    drawing = tag("svg", joined(grid), joined(texts), label, *marks, viewBox=box, role="img", aria_label=title)
    return tag("figure", tag("figcaption", title), drawing)


def shown(value: float) -> str:
    """Formats a round value of an axis.

    >>> [shown(value) for value in (0.0, 0.001, 2.5, 20.0, 1e6)]
    ['0', '0.001', '2.5', '20', '1e6']
    """
    if value and not 1e-3 <= abs(value) < 1e5:
        return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
    return f"{value:.6f}".rstrip("0").rstrip(".")
