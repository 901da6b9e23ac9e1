"""Manifests whose checksum is right and whose contents are not: one line, and nothing read behind a file."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphkd import GraphKDError
from graphkd.atomic_io import seal, write_json
from graphkd.deploy import FeatureStore
from graphkd.deploy.description import STORE
from tests.deploy.test_description import WRONG, put

RIGHT = {("settings.feature_names?", "nothing")} | {
    (f"settings.{name}", "true") for name in ("row_normalize", "weighted", "directed")
}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    path = tmp_path_factory.mktemp("store") / "store"
    FeatureStore.build(path, np.ones((4, 2)), [[0, 1, 1, 2], [1, 0, 2, 1]], hops=2).close()
    return {file.name: file.read_bytes() for file in path.iterdir()}


def spoiled(folder: Path, original: dict[str, bytes], name: str, value: Any) -> Path:
    for file, content in original.items():
        (folder / file).write_bytes(content)
    manifest = json.loads(original["manifest.json"])
    put(manifest, name, value)
    if name != "checksum":
        manifest = {**manifest, "checksum": seal(manifest)}
    write_json(folder / "manifest.json", manifest)
    return folder


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("name", STORE.fields)
def test_no_field_is_believed(name: str, kind: str, original: dict[str, bytes], tmp_path: Path) -> None:
    if (name, kind) in RIGHT:
        pytest.skip("legal")
    with pytest.raises(GraphKDError) as caught:
        FeatureStore(spoiled(tmp_path, original, name, WRONG[kind]))
    assert str(caught.value).isprintable()


SIZES = {
    "capacity": 10**6,
    "slots": [10**6, 0],
    "settings.num_features": 50,
    "settings.hops": 9,
    "settings.directed": True,
    "number": 7,
    "settings.run": 1,
}


@pytest.mark.parametrize("name", SIZES)
def test_sizes_are_those_of_the_files(name: str, original: dict[str, bytes], tmp_path: Path) -> None:
    with pytest.raises(GraphKDError):
        FeatureStore(spoiled(tmp_path, original, name, SIZES[name]))
