"""Writes the table and the edges of the example: python make.py [FOLDER], the same bytes each time.

2,000 visitors of three kinds: numbers of scales 1 and 10,000 (some missing), a category, a boolean and a date.
Four in five acquaintances are of one kind, so that the graph holds more of the signal than the table.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

COUNT, KINDS = 2000, ["guest", "member", "patron"]

draw = np.random.default_rng(7)
kind = draw.integers(0, 3, COUNT)
score = np.array([-0.6, 0.0, 0.6])[kind] + draw.normal(size=COUNT)
income = 52_000 + 9_000 * np.array([0.5, -0.5, 0.4])[kind] + 9_000 * draw.normal(size=COUNT)
city = np.array(["Basel", "Bern", "Genf", "Zug"])[(kind + draw.choice(4, COUNT, p=[0.4, 0.2, 0.2, 0.2])) % 4]
newsletter = draw.random(COUNT) < np.array([0.35, 0.5, 0.65])[kind]
days = 400 * np.array([0.0, 0.5, 1.0])[kind] + 500 * draw.random(COUNT)
nodes = pd.DataFrame(
    {
        "id": [f"v-{number:04}" for number in range(COUNT)],
        "label": np.array(KINDS)[kind],
        "score": np.where(draw.random(COUNT) < 0.1, np.nan, score.round(3)),
        "income": np.where(draw.random(COUNT) < 0.15, np.nan, income.round(-1)),
        "city": np.where(draw.random(COUNT) < 0.05, None, city),
        "newsletter": newsletter,
        "joined": (pd.Timestamp("2022-01-01") + pd.to_timedelta(days.astype(int), unit="D")).strftime("%Y-%m-%d"),
    }
)
source = draw.integers(0, COUNT, 5000)
same = [np.flatnonzero(kind == each) for each in range(3)]
target = np.where(
    draw.random(5000) < 0.8,
    [draw.choice(same[kind[node]]) for node in source],
    draw.integers(0, COUNT, 5000),
)
apart = source != target
edges = pd.DataFrame(
    {"source": nodes["id"].to_numpy()[source[apart]], "target": nodes["id"].to_numpy()[target[apart]]}
)

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
nodes.to_csv(folder / "nodes.csv", index=False)
edges.to_csv(folder / "edges.csv", index=False)
