import json
from pathlib import Path

import pytest

from graphkd import GraphKDError
from graphkd.deploy.store.layout import FILES, Layout, node_type, read_layout
from graphkd.deploy.store.settings import Settings
from graphkd.storage import seal


@pytest.mark.parametrize("directed", [False, True])
def test_what_is_read_is_what_was_written(directed: bool, tmp_path: Path) -> None:
    layout = Layout(Settings(3, 2, directed=directed), 4, 10, (20, 30))
    layout.write(tmp_path)
    assert read_layout(tmp_path) == layout
    assert layout.files() == FILES[: 7 if directed else 5]
    assert [file.name for file in tmp_path.iterdir()] == ["manifest.json"]


def test_sizes_and_names_follow_the_layout(tmp_path: Path) -> None:
    layout = Layout(Settings(3, 2), 4, 10, (20, 30))
    sizes = {name: layout.size(name) for name in FILES}
    assert sizes["header"] == 24
    assert sizes["hops"] == 10 * 3 * 3 * 4
    assert sizes["nodes"] == 10 * node_type(2).itemsize == 10 * (8 + 8 + 4 + 3 * 4)
    assert (sizes["in.entries"], sizes["out.entries"]) == (20 * 16, 30 * 16)
    larger = layout.grown(16, (40, 60))
    assert (larger.number, larger.settings) == (5, layout.settings)
    assert [layout.path(tmp_path, name) == larger.path(tmp_path, name) for name in ("hops", "in.index")] == [1, 0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema_version": 9}, "feature store schema version 9, this graphkd reads version 1: build it again"),
        ({"checksum": "0"}, "was changed after it was written: build the store again"),
    ],
)
def test_another_manifest_is_refused(changes: dict, message: str, tmp_path: Path) -> None:
    Layout(Settings(3, 2), 1, 10, (20, 30)).write(tmp_path)
    file = tmp_path / "manifest.json"
    content = json.loads(file.read_text())
    file.write_text(json.dumps({**content, "checksum": seal({**content, **changes}), **changes}))
    with pytest.raises(GraphKDError, match=message):
        read_layout(tmp_path)
