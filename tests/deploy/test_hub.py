"""Bundles on the hub: pushed to a stand-in of it and fetched again."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from graphkd import GraphKDError, load_bundle
from graphkd.cli import main
from graphkd.deploy import files
from graphkd.deploy.exports.record import add_export
from graphkd.deploy.files import read_bundle
from graphkd.deploy.hub import FILES, Address
from graphkd.deploy.push import push_bundle
from tests.deploy.bundles import make_bundle, student
from tests.deploy.exports.test_formats import FILES as EXPORTED
from tests.deploy.hub_server import TOKEN, Hub, Repository, serving

installed = pytest.mark.skipif(
    importlib.util.find_spec("huggingface_hub") is None, reason="huggingface_hub comes with the extra `hub`"
)

Capture = pytest.CaptureFixture[str]

ROWS = np.random.default_rng(0).standard_normal((4, 5)).astype(np.float32)


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """The stand-in; huggingface_hub reads its environment once, when it is imported."""
    with serving() as server, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in sys.modules if name.split(".")[0] == "huggingface_hub"]:
            patch.delitem(sys.modules, name)
        environment = {
            "HF_ENDPOINT": server.url,
            "HF_HOME": str(tmp_path_factory.mktemp("hub")),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }
        for key, value in environment.items():
            patch.setenv(key, value)
        yield server
        for name in [name for name in sys.modules if name.split(".")[0] == "huggingface_hub"]:
            del sys.modules[name]


@pytest.fixture
def server(standin: Hub, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """The stand-in without repositories, and the token of their owner."""
    standin.repositories.clear()
    standin.requests.clear()
    standin.down = False
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    return standin


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return make_bundle(tmp_path, student())


@installed
def test_what_was_pushed_gives_the_same_answers(server: Hub, bundle: Path) -> None:
    assert push_bundle(bundle, "me/cora") == "hf://me/cora"
    assert sorted(server.files("me/cora")) == [".gitattributes", "README.md", "bundle.json", "model.safetensors"]
    expected = load_bundle(bundle, "numpy").predict_proba(ROWS)
    np.testing.assert_array_equal(load_bundle("hf://me/cora", "numpy").predict_proba(ROWS), expected)


@installed
def test_a_changed_byte_is_refused(server: Hub, bundle: Path) -> None:
    push_bundle(bundle, "me/cora")
    weights = bytearray(server.files("me/cora")["model.safetensors"])
    weights[-1] ^= 1
    change(server, "me/cora", {"model.safetensors": bytes(weights)})
    with pytest.raises(GraphKDError, match=r"model.safetensors is truncated or was changed"):
        load_bundle("hf://me/cora", "numpy")


@installed
def test_a_private_repository_is_read_with_the_token_alone(
    server: Hub, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push_bundle(bundle, "me/secret", private=True)
    assert server.repositories["me/secret"].private
    server.requests.clear()
    load_bundle("hf://me/secret", "numpy")
    assert {token for _, _, token in server.requests} == {TOKEN}
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(
        GraphKDError, match=r"^hf://me/secret is not there, or private: check the name, or hf auth"
    ):
        load_bundle("hf://me/secret", "numpy")


@installed
def test_a_branch_and_a_commit_are_revisions(server: Hub, bundle: Path, tmp_path: Path) -> None:
    push_bundle(bundle, "me/cora")
    first = server.repositories["me/cora"].branches["main"]
    other = make_bundle(tmp_path / "other", student("none"), "none")
    assert push_bundle(other, "me/cora", revision="v2") == "hf://me/cora@v2"
    push_bundle(other, "me/cora", revision="v2")  # nothing has changed
    for address, folder in {"me/cora": bundle, f"me/cora@{first}": bundle, "me/cora@v2": other}.items():
        expected = load_bundle(folder, "numpy").predict_proba(ROWS)
        np.testing.assert_array_equal(load_bundle(f"hf://{address}", "numpy").predict_proba(ROWS), expected)
    with pytest.raises(GraphKDError, match="hf://me/cora has no revision v3: name a branch, a tag or a commit"):
        load_bundle("hf://me/cora@v3", "numpy")


@installed
def test_only_files_that_a_bundle_may_have_are_fetched(server: Hub, bundle: Path) -> None:
    push_bundle(bundle, "me/cora")
    change(server, "me/cora", dict.fromkeys(("setup.py", "weights.pkl", "c/more.c", "a/bundle.json"), b"x"))
    server.requests.clear()
    load_bundle("hf://me/cora", "numpy")
    fetched = {path.partition("/resolve/")[2].partition("/")[2] for _, path, _ in server.requests}
    assert fetched == {"", "README.md", "bundle.json", "model.safetensors"}


@installed
def test_a_push_removes_files_of_the_bundle_before_and_no_others(server: Hub, bundle: Path) -> None:
    add_export(read_bundle(bundle), "c", {"c/student.c": b"c", "c/student.h": b"h"}, {"parity": {}})
    push_bundle(bundle, "me/cora")
    exported = {"exports.json", "schema.json", "c/student.c", "c/student.h"}
    assert exported < server.files("me/cora").keys()
    assert load_bundle("hf://me/cora", "numpy").num_features == 5
    change(server, "me/cora", {"notes.md": b"mine"})
    push_bundle(make_bundle(bundle.parent, student("layer"), "layer"), "me/cora")
    assert not exported & server.files("me/cora").keys()
    assert server.files("me/cora")["notes.md"] == b"mine"
    assert load_bundle("hf://me/cora", "numpy").num_features == 5


@installed
def test_the_pushed_card_has_the_license_and_the_address(server: Hub, bundle: Path) -> None:
    before = (bundle / "README.md").read_text()
    push_bundle(bundle, "me/cora", license_id="mit")
    card = server.files("me/cora")["README.md"].decode()
    assert "\nlicense: mit\n" in card
    assert 'load_bundle("hf://me/cora")' in card
    assert (bundle / "README.md").read_text() == before
    (bundle / "README.md").unlink()  # as of a bundle before there were cards
    push_bundle(bundle, "me/other")
    assert server.files("me/other")["README.md"].decode() == before.replace("OWNER/NAME", "me/other")


@installed
def test_a_cached_copy_is_used_without_the_hub_and_that_is_said(server: Hub, bundle: Path) -> None:
    push_bundle(bundle, "me/cached")
    expected = load_bundle("hf://me/cached", "numpy").predict_proba(ROWS)
    server.down = True
    with pytest.warns(
        UserWarning, match=r"hf://me/cached: the hub cannot be reached \(status 503\), a cached copy"
    ):
        model = load_bundle("hf://me/cached", "numpy")
    np.testing.assert_array_equal(model.predict_proba(ROWS), expected)
    with (
        pytest.warns(UserWarning, match="cannot be reached"),
        pytest.raises(GraphKDError, match=r"503\) and no whole copy is cached: try again"),
    ):
        load_bundle("hf://me/unknown", "numpy")


@installed
def test_offline_is_a_hub_that_cannot_be_reached(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    constants = importlib.import_module("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with (
        pytest.warns(UserWarning, match="cannot be reached"),
        pytest.raises(GraphKDError, match=r"OfflineMode.*and no whole copy is cached"),
    ):
        load_bundle("hf://me/offline", "numpy")
    assert not server.requests


@installed
def test_what_the_hub_refuses_is_one_line(server: Hub, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    push_bundle(bundle, "me/cora")
    with pytest.raises(GraphKDError, match="is there already and public: make it private in its settings, or"):
        push_bundle(bundle, "me/cora", private=True)
    monkeypatch.setenv("HF_TOKEN", "hf_other")
    with pytest.raises(GraphKDError, match=r"no permission to write to hf://me/cora: hf auth login with a token"):
        push_bundle(bundle, "me/cora")
    with pytest.raises(GraphKDError, match=r"hf://me/none is not there, or private: check the name"):
        load_bundle("hf://me/none")
    server.repositories["me/empty"] = Repository(False)
    server.repositories["me/empty"].commit("main", {"config.json": b"{}"})
    with pytest.raises(GraphKDError, match=r"^hf://me/empty is no bundle: it holds no bundle.json; graphkd push"):
        load_bundle("hf://me/empty")


@installed
def test_commands_take_an_address(server: Hub, bundle: Path, tmp_path: Path, capsys: Capture) -> None:
    assert main(["push", str(bundle), "me/cora", "--license", "mit"]) == 0
    assert 'pushed: graphkd.load_bundle("hf://me/cora")' in capsys.readouterr().out
    np.save(tmp_path / "rows.npy", ROWS)
    given = [str(tmp_path / name) for name in ("rows.npy", "out.npy")]
    assert main(["predict", "hf://me/cora", *given, "--runtime", "numpy"]) == 0
    expected = load_bundle(bundle, "numpy").predict_proba(ROWS)
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), expected)
    np.savez(tmp_path / "graph.npz", x=ROWS, edge_index=np.array([[0, 1], [1, 0]]))
    assert main(["store", "hf://me/cora", str(tmp_path / "graph.npz"), str(tmp_path / "store")]) == 0
    assert "4 nodes" in capsys.readouterr().out


@installed
def test_a_server_has_the_name_of_the_repository(
    server: Hub, bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    run = pytest.importorskip("graphkd.deploy.server.run", reason="the server's packages come with `serve`")
    monkeypatch.setattr(run, "run", lambda settings, bound, workers: bound.close())
    push_bundle(bundle, "me/cora")
    assert main(["serve", "hf://me/cora", "--port", "0"]) == 0
    assert capsys.readouterr().out.startswith("cora (numpy, 1 worker): http://127.0.0.1:")


ALONE = "hf://me/cora is a bundle alone"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["evaluate", "hf://me/cora"], ALONE),
        (["export", "hf://me/cora", "--to", "c"], ALONE),
        (["bench", "hf://me/cora"], ALONE),
        (["angles", "hf://me/cora"], ALONE),
        (["report", "hf://me/cora"], "hf:/me/cora is no folder: give a run made by graphkd distill"),
        (["predict", "hf://me/cora", "graph", "out.csv"], ALONE),
        (["store", "hf://me/cora", "graph", "store"], ALONE),
        (["predict", "hf://cora", "rows.csv", "out.csv"], "'cora' is no repository of the hub: give OWNER/NAME"),
        (["serve", "hf://me/co ra"], "'me/co ra' is no repository of the hub"),
        (
            ["push", "RUN", "me/cora", "--license", "My own"],
            "--license is 'My own': give an identifier of the hub",
        ),
        (["push", "RUN", "cora"], "'cora' is no repository of the hub"),
        (
            ["push", "RUN", "me/cora", "--revision", "../x"],
            "'../x' is no revision: give a branch, a tag or a commit",
        ),
        (["push", "RUN", "me/cora"], "RUN is not a bundle: it holds no bundle.json"),
    ],
)
def test_what_needs_more_than_a_bundle_or_is_malformed_is_one_line(
    command: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub.errors", ModuleType("huggingface_hub.errors"))
    monkeypatch.setitem(sys.modules, "huggingface_hub", ModuleType("huggingface_hub"))
    monkeypatch.chdir(tmp_path)
    assert main(command) == 2
    assert capsys.readouterr().err.startswith(f"graphkd: {message}")


@pytest.mark.parametrize(
    "repo", ["cora", "a/b/c", "/a", "a/", "a/..", "a/-b", "a/b--c", "a/b.git", "a/b c", "a/é"]
)
def test_a_name_that_the_hub_does_not_have_is_refused(repo: str) -> None:
    with pytest.raises(GraphKDError, match="is no repository of the hub"):
        Address.of(f"hf://{repo}")


def test_addresses_name_a_repository_and_a_revision() -> None:
    assert Address.of("hf://a-b/c.d_e@refs/pr/1") == Address("a-b/c.d_e", "refs/pr/1")
    assert str(Address("me/cora", "v2")) == "hf://me/cora@v2"
    for revision in ("", "..", "a b", "-x", "a/../b"):
        with pytest.raises(GraphKDError, match="is no revision"):
            Address.of(f"hf://me/cora@{revision}")


def test_without_the_package_the_line_names_the_extra(monkeypatch: pytest.MonkeyPatch, bundle: Path) -> None:
    for name in ("huggingface_hub", "huggingface_hub.errors"):
        monkeypatch.setitem(sys.modules, name, None)
    line = r"needs huggingface_hub, which is not installed: pip install 'graphkd\[hub\]'"
    with pytest.raises(GraphKDError, match=f"^hf://me/cora {line}"):
        load_bundle("hf://me/cora")
    with pytest.raises(GraphKDError, match=f"^graphkd push {line}"):
        push_bundle(bundle, "me/cora")


def test_every_file_of_a_bundle_and_of_its_exports_may_be_pushed() -> None:
    own = {files.CARD, files.WEIGHTS, files.INPUTS, files.MODEL_CARD, files.EXPORTS, files.SCHEMA}
    assert set(FILES) == own.union(*EXPORTED.values())


@installed
@pytest.mark.slow
def test_a_process_without_the_hub_goes_on_with_its_cache(server: Hub, bundle: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", ROWS)
    for name in ("pushed", "first", "second"):
        args = (
            ["push", str(bundle), "me/far"]
            if name == "pushed"
            else ["predict", "hf://me/far", "rows.npy", "o.npy", "--runtime", "numpy"]
        )
        gone = {"HF_ENDPOINT": "http://127.0.0.1:9"} if name == "second" else {}
        command = [sys.executable, "-m", "graphkd", *args]
        done = subprocess.run(command, cwd=tmp_path, env={**os.environ, **gone}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert ("the hub cannot be reached (ConnectError" in done.stderr) == (name == "second")
    np.testing.assert_array_equal(np.load(tmp_path / "o.npy"), load_bundle(bundle, "numpy").predict_proba(ROWS))


def change(server: Hub, repo: str, content: dict[str, bytes]) -> None:
    """Commits files, as anybody may who can write to the repository."""
    server.repositories[repo].commit("main", {**server.files(repo), **content})
