"""Writes configs/experiment/methods/cpf_*.yaml, and those of GLNN, from settings.csv.

python experiments/methods/configs.py [--check]

A line of settings.csv is a method on a data set: what it has beside the teacher, the shape and the epochs that all
share. A line with a setting is for that setting alone, such as ``production``; the others take the line without.
"""

from __future__ import annotations

import argparse
import csv
import functools
import sys
from pathlib import Path

import numpy as np
import yaml

sys.path.insert(0, str(Path(__file__).parent))
from protocol import CONFIGS, DATASETS, HERE, MODELS, published  # experiments/methods/protocol.py

YEARS = {
    "glnn": 2022,
    "infgrand": 2026,
    "krd": 2023,
    "ff_g2m": 2023,
    "adagmlp": 2024,
    "simmlp": 2025,
    "hgmd": 2024,
    "nosmog": 2023,
    "tined": 2025,
    "tined_plus": 2025,
    "progmlp": 2026,
    "g2mlp": 2026,
    "linkdist": 2021,
    "colinkdist": 2021,
    "cohop": 2024,
    "vqgraph": 2024,
}
STORED = {"cora": "cpf_cora", "citeseer": "cpf_citeseer"}
"""Data sets with a file of CPF's own; of the others the largest component is taken from PyG's."""

TEACHER = {
    "num_layers": 2,
    "hidden_dim": 128,
    "dropout": 0.0,
    "aggregator": "gcn",
    "self_loops": 2,
    "hops": "before_activation",
}
STUDENT = {"num_layers": 2, "hidden_dim": 128}
EPOCHS = {"max_epochs": 500, "patience": 50}
TEACHER_TRAINING = {"teacher_lr": 0.01, "teacher_weight_decay": 0.0005}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file differs")
    args = parser.parse_args(arguments)
    for file, text in files().items():
        if args.check and (not file.exists() or file.read_text() != text):
            raise SystemExit(f"{file} is not what settings.csv gives: python experiments/methods/configs.py")
        if not args.check:
            file.write_text(text)


def files() -> dict[Path, str]:
    """Returns the content of every file."""
    with (HERE / "settings.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {path_of(row): text_of(row) for row in rows}


def path_of(row: dict[str, str]) -> Path:
    """Returns the file of a line."""
    own = f"_{row['setting']}" if row["setting"] else ""
    if row["method"] == "glnn":
        return CONFIGS / "glnn" / f"cpf_{row['dataset']}_sage{own}.yaml"
    return CONFIGS / "methods" / f"cpf_{row['dataset']}_sage_{row['method']}{own}.yaml"


def text_of(row: dict[str, str]) -> str:
    """Returns the content of the file of a line."""
    method, dataset, name = row["method"], row["dataset"], path_of(row)
    given = yaml.safe_load("{" + row["keys"] + "}")
    parts = {
        "teacher": TEACHER | given.pop("teacher", {}),
        "student": STUDENT | given.pop("student", {}),
        "training": EPOCHS | TEACHER_TRAINING | given.pop("training", {}),
        **given,
    }
    teacher, kind = parts["teacher"].pop("name", "sage"), parts["student"].pop("name", "")
    encoder = parts["encoder"].pop("name") if "encoder" in parts else ""
    choices = {"dataset": STORED.get(dataset, dataset), "teacher": teacher, "student": kind, "encoder": encoder}
    choices |= {"method": method, "setting": row["setting"]}
    lines = [
        "# @package _global_",
        f"# {MODELS[method]} ({YEARS[method]}) on CPF's splits of {DATASETS[dataset]}: {row['source']};",
        "# teacher and student of 2 x 128, as for every method of experiments/methods.",
        *expectation(row),
        f"# graphkd distill experiment={name.parent.name}/{name.stem} data_dir=DIR",
        "defaults:",
        *(f"  - override /{group}: {choice}" for group, choice in choices.items() if choice),
        "",
        "seeds: 10",
    ]
    if dataset not in STORED:
        lines.append("dataset: {split: cpf}")
    parts["teacher"] = teacher_keys(parts["teacher"], teacher)
    return "\n".join([*lines, *(f"{group}: {flow(values)}" for group, values in parts.items() if values), ""])


def expectation(row: dict[str, str]) -> list[str]:
    """Returns a line with the scores in expected.csv, if there are any."""
    setting = row["setting"] or "transductive"
    cell = f"cpf_{row['dataset']}" + ("" if setting == "transductive" else f"_{setting}")
    found = [
        100 * float(each["test"]) for each in expected() if (each["cell"], each["model"]) == (cell, row["method"])
    ]
    if not found:
        return []
    value = published().get((row["method"], row["dataset"], setting))
    known = f"; published {value.score:.2f}" if value is not None else ""
    if len(found) == 1:
        return [f"# Expect student {found[0]:.2f} (1 seed{known})"]
    return [f"# Expect student {np.mean(found):.2f} ± {np.std(found):.2f} ({len(found)} seeds{known})"]


@functools.cache
def expected() -> list[dict[str, str]]:
    """Returns the rows of expected.csv."""
    with (HERE / "expected.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def teacher_keys(keys: dict[str, object], name: str) -> dict[str, object]:
    """Returns what a teacher has of the keys: aggregator and self-loops are SAGE's."""
    return (
        keys
        if name == "sage"
        else {key: keys[key] for key in keys if key not in ("aggregator", "self_loops", "hops")}
    )


def flow(values: dict[str, object]) -> str:
    """Returns settings as YAML on one line."""
    return yaml.safe_dump(values, default_flow_style=True, sort_keys=False, width=10**6).strip()


if __name__ == "__main__":
    main()
