"""Five seeds as one batched model against one run, and against five one after another.

python experiments/gpu/seeds.py --data-dir data [--device cpu]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parent.parent))
from cells import scene_of  # experiments/cells.py
from timing import machine  # experiments/timing.py

from graphkd.config import composed, recipe_from
from graphkd.datasets import Scene
from graphkd.recipe import Recipe
from graphkd.training.artefacts import Artefacts
from graphkd.training.student import train_student
from graphkd.training.teach import TeacherResult, teach
from graphkd.training.together import Member, train_together

CELLS = {
    "cora, 2 x 128": ["dataset=cora", "teacher=sage", "method=glnn"],
    "cora, published": ["experiment=infgrand/cora_sage_transductive"],
    "photo, published": ["experiment=infgrand/photo_gat_transductive"],
}
SEEDS = 5


def rows(device: str, data_dir: str, epochs: int, cells: list[str], rounds: int = 2) -> list[dict[str, Any]]:
    """Seconds of one seed, of all one after another, and of all at once; the fastest of some rounds."""
    found = []
    for name in cells:
        config = composed(CELLS[name])
        recipe = recipe_from(config)
        recipe = replace(recipe, training=replace(recipe.training, max_epochs=epochs, patience=10**6))
        short = replace(recipe, training=replace(recipe.training, max_epochs=2))
        scenes = [scene_of(config, seed, data_dir, device) for seed in range(SEEDS)]
        taught = [teach(scene, short, seed, []) for seed, scene in enumerate(scenes)]
        alone, together = [], []
        for _ in range(rounds + 1):
            alone.append(
                [
                    one(scene, recipe, said, seed)
                    for seed, (scene, said) in enumerate(zip(scenes, taught, strict=True))
                ]
            )
            together.append(at_once(scenes, recipe, taught))
        one_by_one, batched = min(map(sum, alone[1:])), min(together[1:])
        single = one_by_one / SEEDS
        found.append({"what": "five seeds", "size": name, "width": "", "one": single, "one_by_one": one_by_one,
                      "at_once": batched, "of_one": batched / single, "of_all": batched / one_by_one})  # fmt: skip
    return found


def one(scene: Scene, recipe: Recipe, taught: TeacherResult, seed: int) -> float:
    """Seconds of one student's training."""
    return train_student(scene, recipe, taught, seed, []).fit.seconds


def at_once(scenes: list[Scene], recipe: Recipe, taught: list[TeacherResult]) -> float:
    """Seconds of all students' training."""
    recipe = replace(recipe, training=replace(recipe.training, together=True))
    with tempfile.TemporaryDirectory() as folder:
        cache = Artefacts(Path(folder))
        members = [
            Member(scene, recipe, said, seed)
            for seed, (scene, said) in enumerate(zip(scenes, taught, strict=True))
        ]
        assert train_together(members, cache) == SEEDS
        parts = (
            (scene, recipe, said, seed, [], cache)
            for seed, (scene, said) in enumerate(zip(scenes, taught, strict=True))
        )
        return sum(train_student(*each).fit.seconds for each in parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cells", nargs="*", default=list(CELLS))
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(machine(), "| cell | one | five, one by one | at once | of one | of all |", "|---" * 6 + "|", sep="\n")
    for row in rows(args.device, args.data_dir, args.epochs, args.cells):
        times = " | ".join(f"{row[key]:.2f}" for key in ("one", "one_by_one", "at_once", "of_one", "of_all"))
        print(f"| {row['size']} | {times} |", flush=True)


if __name__ == "__main__":
    main()
