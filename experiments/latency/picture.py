"""Draws accuracy against the time of an answer on CPF's Cora, from committed results.

python experiments/latency/picture.py              # writes docs/images/accuracy_latency.svg

Accuracies are means of experiments/methods/expected.csv. Times are medians of cpf_cora.json, which was written by

graphkd distill experiment=glnn/cpf_cora_sage seeds=1 data_dir=data output_dir=runs/cora
graphkd export runs/cora --to c
graphkd bench runs/cora --json experiments/latency/cpf_cora.json
"""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

HERE = Path(__file__).parent
PICTURE = HERE.parents[1] / "docs" / "images" / "accuracy_latency.svg"

STUDENTS = {"mlp": "plain MLP", "glnn": "distilled by GLNN", "krd": "by KRD", "ff_g2m": "by FF-G2M"}
"""Of one shape, so of one time; all read a node's own row."""


def points() -> list[tuple[str, float, float, str]]:
    """Returns label, microseconds, accuracy in percent and colour of every model."""
    rows = pd.read_csv(HERE.parent / "methods" / "expected.csv")
    means = 100 * rows[rows["cell"] == "cpf_cora"].groupby("model")["test"].mean()
    times = {each["name"]: each["batches"][0]["p50"] for each in bench()["models"]}
    found = [
        (f"{name}, {means[model]:.1f} %", times["native"], means[model], "0.5" if model == "mlp" else "#1565c0")
        for model, name in STUDENTS.items()
    ]
    teacher = times["teacher, with fetch"]
    label = f"GNN (SAGE), {means['teacher']:.1f} %,\nneighbours fetched"
    return [*found, (label, teacher, means["teacher"], "#c62828")]


def bench() -> dict[str, Any]:
    """Returns the committed measurement."""
    content: dict[str, Any] = json.loads((HERE / "cpf_cora.json").read_text())
    return content


def draw() -> str:
    """Returns the picture as SVG; equal results have equal text."""
    style = {"svg.hashsalt": "graphkd", "svg.fonttype": "path", "font.size": 10}
    with rc_context(style):
        figure = Figure(figsize=(7, 2.9), layout="constrained")
        panel = figure.subplots()
        label_at = -1e9
        for label, time, accuracy, colour in sorted(points(), key=lambda point: point[2]):
            panel.plot([time], [accuracy], "o", color=colour, markersize=7)
            if time < 100:
                label_at = max(accuracy, label_at + 2.6)  # so that labels of one time do not meet
                panel.annotate(label, (time, accuracy), (time * 1.25, label_at), va="center", color=colour)
            else:
                panel.annotate(
                    label, (time, accuracy), (time / 1.2, accuracy), va="center", ha="right", color=colour
                )
        panel.set_xscale("log")
        panel.set_xlim(10, 2000)
        panel.set_xticks([10, 100, 1000], ["10", "100", "1,000"])
        panel.set_ylim(55, 91)
        panel.set_xlabel("microseconds per answer, one node, one core (log scale)")
        panel.set_ylabel("test accuracy, %")
        panel.grid(color="0.92")
        panel.spines[["top", "right"]].set_visible(False)
        figure.patch.set_facecolor("white")
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return re.sub(r"[ \t]+\n", "\n", out.getvalue())


if __name__ == "__main__":
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(draw())
    print(PICTURE.relative_to(HERE.parents[1]))
