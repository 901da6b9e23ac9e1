"""The page of a report: what it shows, that it loads nothing, and that no name becomes markup."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphkd import GraphKDError
from graphkd.evaluation import ConfusionMatrix
from graphkd.reports import find_runs, grouped, to_html
from tests.reports.runs import SEEDS, make_run, seed

COUNTS = [[8, 2], [1, 9]]
LOG = [
    {"seed": 0, "stage": stage, "epoch": epoch, "loss": 1.0 / (1 + epoch), "val": 0.5 + 0.1 * epoch}
    for stage in ("teacher", "student")
    for epoch in range(4)
]


class Tree(HTMLParser):
    """The elements of a page with their attributes and its texts; every element is closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts += [data.strip()] if data.strip() else []

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def with_classes(entry: dict[str, Any], names: list[str], counts: list[list[int]] | None = None) -> dict[str, Any]:
    record = ConfusionMatrix(np.array(counts or COUNTS)).record
    return {**entry, "classes": {"names": names, "student": record, "teacher": record}}


def bench(folder: Path, **changes: Any) -> None:
    times = {"p50": 20.0, "p95": 30.0, "p99": 40.0}
    models = [
        {"name": "numpy", "role": "student", "scores": {"test": 0.8}, "batches": [{"rows": 1, **times}]},
        {"name": "at once", "role": "teacher", "scores": {"test": 0.9}, "batches": [{"rows": 4, **times}]},
    ]
    found = {"schema_version": 1, "seed": 0, "metric": "accuracy", "machine": {"cpu": "a CPU"}, "models": models}
    (folder / "bench.json").write_text(json.dumps({**found, **changes}))


def log(folder: Path, rows: list[dict[str, Any]] = LOG) -> None:
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def page(*paths: Path) -> Tree:
    text = to_html(grouped(find_runs([str(path) for path in paths])))
    assert text == to_html(grouped(find_runs([str(path) for path in paths]))), "equal runs, equal bytes"
    return Tree(text)


def test_tables_curves_classes_latency_and_settings_are_shown(tmp_path: Path) -> None:
    versions = {"python": "3.11", "torch": "2.6"}
    one = make_run(tmp_path / "a", [with_classes(SEEDS[0], ["ant", "bee"])], versions=versions)
    two = make_run(tmp_path / "b", changes="training: {max_epochs: 20}", versions={**versions, "torch": "2.11"})
    log(one)
    bench(one)
    found = page(one, two)
    for text in (
        "cora · public split · transductive · accuracy", "82.00", "student − row 1", "Settings that differ",
        "max_epochs", "Versions that differ", "2.11", "teacher: loss", "student: validation accuracy, %", "ant",
        "Test nodes by class and prediction of the student", "F1 % of teacher", "at once, per node", "5", "7.5",
        "Seed 0 on a CPU, by graphkd bench.", "The folder holds no log.jsonl.", str(two),
    ):  # fmt: skip
        assert text in found.texts, text
    assert len(found.named("polyline")) == 4
    cells = [attributes["style"] for attributes in found.named("td") if "style" in attributes]
    assert cells == [f"background:rgb(var(--accent) / {share})" for share in ("0.800", "0.200", "0.100", "0.900")]
    links = [attributes["href"] for attributes in found.named("a")]
    assert links == [f"#{attributes['id']}" for attributes in found.named("details") if "id" in attributes]


def test_it_loads_nothing_and_has_no_script(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a", [with_classes(SEEDS[0], ["ant", "bee"])])
    log(run)
    found = page(run)
    assert {name for name, _ in found.elements}.isdisjoint({"script", "link", "img", "iframe", "object", "base"})
    assert all(not {"src", "onclick", "onload"} & attributes.keys() for _, attributes in found.elements)
    assert not re.search(r"url\(|@import|https?:", "".join(found.texts))


def test_no_name_becomes_markup(tmp_path: Path) -> None:
    attack = "<script>alert('x')</script>\"&"
    folder = tmp_path / "<script>alert(1)<" / "b"
    names = {"dataset": attack, "teacher": attack, "method": attack, "metric": attack, "versions": {"x": attack}}
    facts = {**names, "matching": attack}
    run = make_run(
        folder, [with_classes(SEEDS[0], [attack, "b"])], f"student: {{name: {json.dumps(attack)}}}", **facts
    )
    other = make_run(tmp_path / "c", [with_classes(SEEDS[0], [attack, "b"])], **{**facts, "versions": {}})
    log(run, [{**row, "stage": attack} for row in LOG])
    bench(run, metric=attack, machine={"cpu": attack}, seed=attack)
    found = page(run, other)
    assert not found.named("script")
    assert any(attack in text for text in found.texts)
    assert any("<script>alert(1)<" in text for text in found.texts)


def test_seeds_add_up_in_the_matrix_and_have_means_in_the_table(tmp_path: Path) -> None:
    seeds = [with_classes(SEEDS[0], ["ant", "bee"]), with_classes(SEEDS[1], ["ant", "bee"], [[5, 5], [0, 8]])]
    texts = page(make_run(tmp_path / "a", seeds)).texts
    assert "Test nodes of 2 seeds together by class and prediction of the student" in texts
    assert texts[texts.index("ant") + 2 :][:7] == ["ant", "13", "7", "bee", "1", "17", "class"]
    row = texts[texts.index("F1 % of teacher") + 1 :][:6]
    assert row[:4] == ["ant", "10", "94.44 ± 5.56", "65.00 ± 15.00"]
    assert "8 to 10" in texts


def test_a_matrix_that_is_not_recorded_is_named_and_old_runs_have_none(tmp_path: Path) -> None:
    entry = with_classes(SEEDS[0], ["ant", "bee"])
    del entry["classes"]["student"]["counts"]
    texts = page(make_run(tmp_path / "a", [entry])).texts
    assert "The confusion matrix is not in metrics.json: graphkd evaluate RUN --output FOLDER writes it." in texts
    assert "Classes" not in page(make_run(tmp_path / "b")).texts


def test_many_runs_are_folded_and_colours_come_again(tmp_path: Path) -> None:
    seeds = [seed(number, 0.5, 0.6) for number in range(10)]
    runs = [make_run(tmp_path / str(at), seeds, f"method: {{lam: 0.{at}}}") for at in range(4)]
    log(runs[0], [{**row, "seed": number} for number in range(10) for row in LOG])
    found = page(*runs)
    assert all("open" not in attributes for attributes in found.named("details"))
    lines = [str(attributes["class"]) for attributes in found.named("g")]
    assert "".join(line.removeprefix("line colour") for line in lines[:10]) == "0123456701"
    assert "seed 0" not in found.texts


def test_long_curves_are_thinned_and_diverged_ones_are_left_out(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a")
    rows = [
        {"seed": 0, "stage": "student", "epoch": epoch, "loss": float("nan"), "val": 0.5} for epoch in range(999)
    ]
    log(run, rows)
    (line,) = page(run).named("polyline")
    assert 100 <= len(str(line["points"]).split()) <= 150


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("log.jsonl", '{"seed": 0}\n', "log.jsonl is damaged: make the run again, or remove the file"),
        ("log.jsonl", "[]\n", "log.jsonl is damaged"),
        ("log.jsonl", "{\n", "log.jsonl is damaged"),
        ("bench.json", '{"schema_version": 1, "models": [{}]}', "bench.json is damaged: make it again"),
        ("bench.json", '{"schema_version": 1, "models": []}', "bench.json is damaged: make it again"),
        ("bench.json", '{"schema_version": 2}', "bench schema version 2, this graphkd reads version 1"),
        ("bench.json", "{", "bench.json cannot be read"),
    ],
)
def test_a_damaged_file_is_one_line(tmp_path: Path, name: str, content: str, message: str) -> None:
    run = make_run(tmp_path / "a")
    (run / name).write_text(content)
    with pytest.raises(GraphKDError, match=re.escape(message)):
        page(run)
