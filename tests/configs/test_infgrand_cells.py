"""The published cells: every experiment file says what the published settings say."""

import csv
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from graphkd.config import config_dir, names_in

NAMES = {"amazon-photo": "photo", "coauthor-cs": "cs", "coauthor-phy": "physics"}


def read_cells() -> dict[str, dict[str, str]]:
    lines = (Path(__file__).parent / "infgrand_cells.csv").read_text().splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    return {
        f"{NAMES.get(row['dataset'], row['dataset'])}_{row['teacher'].lower()}_{row['setting']}": row
        for row in rows
    }


CELLS = read_cells()
FILES = [name.removeprefix("infgrand/") for name in names_in("experiment") if name.startswith("infgrand/")]


def test_every_cell_has_its_file_and_no_other_is_there() -> None:
    assert len(CELLS) == 36
    assert set(FILES) == set(CELLS)


@pytest.mark.parametrize("name", FILES)
def test_it_says_what_was_published(name: str) -> None:
    text = (config_dir() / "experiment" / "infgrand" / f"{name}.yaml").read_text()
    assert text.startswith("# @package _global_\n")
    assert f"# graphkd distill experiment=infgrand/{name} data_dir=DIR\n" in text
    assert OmegaConf.to_container(OmegaConf.create(text)) == published(name)


def published(name: str) -> dict[str, Any]:
    row = {
        key: float(text)
        for key, text in CELLS[name].items()
        if key not in ("dataset", "teacher", "setting", "seeds")
    }
    dataset, teacher, setting = name.split("_")
    groups = {"dataset": dataset, "setting": setting, "teacher": teacher, "method": "infgrand"}
    if setting == "transductive":
        del groups["setting"]
    first, last = map(int, CELLS[name]["seeds"].split("-"))
    size = {"num_layers": row["num_layers"], "hidden_dim": row["hidden_dim"]}
    extra = {
        "gcn": {},
        "sage": {"aggregator": "gcn", "self_loops": 2},
        "gat": {"heads": row["heads"], "attention_dropout": 0.3},
    }
    method = ("lam", "tau", "delta1", "delta2", "gamma1", "gamma2", "hops")
    return {
        "defaults": [{f"override /{group}": choice} for group, choice in groups.items()],
        "seeds": list(range(first, last + 1)),
        "teacher": {**size, "dropout": row["teacher_dropout"], **extra[teacher]},
        "student": {**size, "dropout": row["student_dropout"]},
        "method": {"variant": "reference", **{key: row[key] for key in method}},
        "training": {
            "max_epochs": row["max_epochs"],
            "patience": row["patience"],
            "lr": row["student_lr"],
            "weight_decay": row["weight_decay"],
            "teacher_lr": row["teacher_lr"],
            "teacher_weight_decay": row["weight_decay"],
        },
    }
