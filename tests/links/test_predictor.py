"""Scores and nearest nodes are exact, and a bundle answers as the run does."""

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
import torch

from graphkd.datasets.preprocess import Preprocessing
from graphkd.errors import GraphKDError
from graphkd.links import LinkPredictor, LinkStudent, load_predictor, predictor, save_predictor
from graphkd.links.decoders import DECODERS


def made(
    decoder: str = "dot", num_nodes: int = 23, row_normalize: bool = True
) -> tuple[LinkPredictor, torch.Tensor]:
    torch.manual_seed(0)
    student = LinkStudent(6, hidden_dim=9, embedding_dim=5, decoder=decoder)
    if decoder == "bilinear":
        torch.nn.init.normal_(student.decoder.weight)
    rows = torch.randn(num_nodes, 6).abs()
    return LinkPredictor.of(student, Preprocessing(row_normalize=row_normalize), rows, {"seed": 0}), rows


@pytest.mark.parametrize("decoder", DECODERS)
def test_scores_are_those_of_the_rows(decoder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, rows = made(decoder)
    pairs = torch.cartesian_prod(torch.arange(23), torch.arange(23))
    scores = model.score(pairs)
    torch.testing.assert_close(
        scores, model.score_rows(rows[pairs[:, 0]], rows[pairs[:, 1]]), atol=1e-5, rtol=1e-5
    )
    torch.testing.assert_close(scores.reshape(23, 23), scores.reshape(23, 23).t(), atol=1e-5, rtol=1e-5)
    monkeypatch.setattr(predictor, "PAIRS", 7)
    torch.testing.assert_close(model.score(pairs.numpy()), scores)
    sparse = model.score_rows(scipy.sparse.csr_matrix(rows[:4].numpy()), rows[4:8])
    torch.testing.assert_close(sparse, model.score(torch.stack([torch.arange(4), torch.arange(4, 8)], dim=1)))
    assert model.score([]).shape == (0,)


@pytest.mark.parametrize("decoder", DECODERS)
def test_nearest_nodes_are_the_best_of_all_pairs(decoder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictor, "ROWS", 10)
    model, rows = made(decoder)
    every = [[4, node] for node in range(23) if node not in (4, 7, 9)]
    order = sorted(zip(model.score(every).tolist(), every, strict=True), reverse=True)[:6]
    scores, nodes = model.top_k(4, k=6, exclude=[7, 9])
    assert nodes.tolist() == [pair[1] for _, pair in order]
    assert scores.tolist() == pytest.approx([score for score, _ in order], abs=1e-5)
    found, same = model.top_k(rows[4], k=6, exclude=[4, 7, 9])  # the row of any node, in the table or not
    assert torch.equal(same, nodes)
    torch.testing.assert_close(found, scores, atol=1e-5, rtol=1e-5)
    assert model.top_k(np.int64(4), k=20, exclude=[7, 9])[1].numel() == 20


@pytest.mark.parametrize("decoder", DECODERS)
def test_a_bundle_answers_as_the_predictor_does(decoder: str, tmp_path: Path) -> None:
    model, rows = made(decoder)
    save_predictor(tmp_path / "bundle", model)
    again = load_predictor(tmp_path / "bundle")
    pairs = [[0, 1], [5, 22]]
    assert torch.equal(again.score(pairs), model.score(pairs))
    assert torch.equal(again.embed(rows), model.embed(rows))
    assert again.preprocessing == model.preprocessing
    assert again.card == {"seed": 0}
    assert sorted(file.name for file in (tmp_path / "bundle").iterdir()) == [
        "embeddings.safetensors",
        "links.json",
        "model.safetensors",
    ]
    save_predictor(tmp_path / "bundle", model.with_rows(rows[:5]))  # replaces the old one
    assert load_predictor(tmp_path / "bundle").num_nodes == 5


def truncate(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-4])


def swap(folder: Path) -> None:
    file = folder / "embeddings.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))


def edited(key: str, value: object, seal: bool = False):
    def edit(folder: Path) -> None:
        from graphkd.atomic_io import seal as seal_of

        description = json.loads((folder / "links.json").read_text())
        description[key] = value
        if seal:
            description["checksum"] = seal_of(description)
        (folder / "links.json").write_text(json.dumps(description))

    return edit


DAMAGE = {
    "cut": (truncate, "model.safetensors is truncated or was changed"),
    "flipped": (swap, "embeddings.safetensors is truncated or was changed"),
    "missing": (lambda folder: (folder / "embeddings.safetensors").unlink(), "holds no readable embeddings"),
    "no card": (
        lambda folder: (folder / "links.json").unlink(),
        "is not a bundle of links",
    ),
    "edited": (edited("card", {"auc": 1.0}), "links.json was changed after it was written"),
    "later": (edited("schema_version", 2), "has bundle schema version 2, this graphkd reads version 1"),
    "other sizes": (edited("student", {"num_features": 3, "num_nodes": 23}, seal=True), "holds no such predictor"),
    "no sizes": (edited("student", 5, seal=True), "holds no such predictor"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_damaged_bundle_is_one_line(case: str, tmp_path: Path) -> None:
    damage, message = DAMAGE[case]
    save_predictor(tmp_path / "bundle", made()[0])
    damage(tmp_path / "bundle")
    with pytest.raises(GraphKDError, match=message) as caught:
        load_predictor(tmp_path / "bundle")
    assert "\n" not in str(caught.value)


WRONG = {
    "pair outside": (
        lambda model: model.score([[0, 23]]),
        "pairs names nodes 0 to 23, but there are nodes 0 to 22",
    ),
    "negative pair": (lambda model: model.score([[-1, 0]]), "pairs names nodes -1 to 0"),
    "half a node": (lambda model: model.score([[0.5, 1.0]]), "pairs must hold whole numbers"),
    "flat": (lambda model: model.score([0, 1]), r"pairs must be \[P, 2\]"),
    "wide rows": (lambda model: model.score_rows(torch.ones(1, 7), torch.ones(1, 7)), r"x must be \[rows, 6\]"),
    "unequal rows": (
        lambda model: model.score_rows(torch.ones(2, 6), [[1.0] * 6]),
        "u has 2 rows, but v has 1",
    ),
    "nan": (lambda model: model.embed(torch.full((1, 6), float("nan"))), "holds NaN or infinite values"),
    "node outside": (lambda model: model.top_k(23), "node names nodes 23 to 23, but there are nodes 0 to 22"),
    "no k": (lambda model: model.top_k(0, 0), "links.k is 0: it must be a whole number from 1 to 22"),
    "large k": (lambda model: model.top_k(0, 23), "links.k is 23: it must be a whole number from 1 to 22"),
    "excluded outside": (lambda model: model.top_k(0, exclude=[99]), "exclude names nodes 99 to 99"),
    "wide row": (lambda model: model.top_k(torch.ones(5)), r"x must be \[rows, 6\]"),
    "several rows": (lambda model: model.top_k(torch.ones(2, 6)), "node must be one number or one row"),
    "text": (lambda model: model.top_k("a"), "x is no table of numbers"),
    "no path": (lambda model: save_predictor("", model), "the bundle is '': give a path"),
}


@pytest.mark.parametrize("case", WRONG)
def test_bad_input_is_one_line(case: str) -> None:
    call, message = WRONG[case]
    with pytest.raises(GraphKDError, match=message) as caught:
        call(made()[0])
    assert "\n" not in str(caught.value)
