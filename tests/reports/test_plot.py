import io
from pathlib import Path

import pytest
from PIL import Image

from graphkd.reports import draw, find_runs, grouped
from graphkd.reports.plot import LABEL, WIDTH
from tests.reports.runs import make_run, seed


def drawn(*paths: Path) -> Image.Image:
    return Image.open(io.BytesIO(draw(grouped(find_runs([str(path) for path in paths])))))


def test_a_row_per_run_a_panel_per_group(tmp_path: Path) -> None:
    names = ["none", "forward", "reverse"]
    runs = [make_run(tmp_path / name, matching=name) for name in names]
    other = make_run(tmp_path / "other", [seed(0, 0.5, 0.6, 0.2)], dataset="pubmed")
    one, three, both = drawn(runs[0]), drawn(*runs), drawn(*runs, other)
    assert one.width == three.width == both.width == WIDTH * 150
    assert one.height < three.height < both.height


def test_the_same_runs_give_the_same_picture_and_it_shows_what_is_there(tmp_path: Path) -> None:
    without, with_mlp = make_run(tmp_path / "a"), make_run(tmp_path / "b", [seed(0, 0.5, 0.6, 0.2)])
    orange, blue, grey = (255, 127, 14), (31, 119, 180), (127, 127, 127)
    colours = {colour for _, colour in drawn(without).convert("RGB").getcolors(1 << 24)}
    assert {blue, grey} <= colours
    assert orange not in colours
    assert orange in {colour for _, colour in drawn(with_mlp).convert("RGB").getcolors(1 << 24)}
    assert drawn(without).tobytes() == drawn(without).tobytes()


def test_nothing_is_cut_off_at_the_edges(tmp_path: Path) -> None:
    long = "a_Name_$of$_{many}\\_letters" * 6
    facts = {"teacher": long, "dataset": long, "split": "random"}
    runs = [make_run(tmp_path / str(at), changes=f"method: {{lam: {at}}}", **facts) for at in (1, 2)]
    for picture in (drawn(*runs), drawn(make_run(tmp_path / "c", [seed(0, 1.0, 1.0)]))):
        pixels = picture.convert("L")
        edges = [(0, 0, 2, pixels.height), (pixels.width - 2, 0, pixels.width, pixels.height)]
        edges += [(0, 0, pixels.width, 2), (0, pixels.height - 2, pixels.width, pixels.height)]
        assert all(pixels.crop(edge).getextrema() == (255, 255) for edge in edges)
    assert len(long) > 2 * LABEL


def test_a_picture_with_too_many_rows_is_drawn_smaller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [make_run(tmp_path / name, matching=name) for name in "abcd"]
    full = drawn(*runs)
    monkeypatch.setattr("graphkd.reports.plot.MOST_PIXELS", 200)
    assert drawn(*runs).height in (199, 200)
    assert full.height > 300
