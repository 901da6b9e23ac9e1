"""A server of links answers as the predictor does, and refuses what is no question with its field."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from graphkd.datasets import Preprocessing
from graphkd.links import LinkPredictor, LinkStudent, load_predictor, save_predictor
from tests.deploy.server.serving import ask, in_thread

IDS = ["ada", "bob", "cyd", "dot", "eve"]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    student = LinkStudent(3, hidden_dim=4, embedding_dim=4)
    predictor = LinkPredictor.of(student, Preprocessing(), torch.randn(5, 3))
    folder = tmp_path_factory.mktemp("links") / "bundle"
    save_predictor(folder, predictor.with_rows(torch.randn(5, 3), IDS))
    return folder


@pytest.fixture(scope="module")
def port(bundle: Path) -> Iterator[int]:
    with in_thread(bundle, runtime="torch") as port:
        yield port


def test_pairs_are_scored(port: int, bundle: Path) -> None:
    answer = ask(port, "/score", {"pairs": [["ada", "eve"], ["cyd", "bob"]]})
    wanted = load_predictor(bundle).score([[0, 4], [2, 1]])
    assert answer.status == 200
    assert answer.json["scores"] == pytest.approx(wanted.tolist(), abs=1e-6)
    assert answer.json["probabilities"] == pytest.approx(wanted.sigmoid().tolist(), abs=1e-6)


def test_partners_are_found(port: int, bundle: Path) -> None:
    answer = ask(port, "/top_k", {"node": "bob", "k": 9, "exclude": ["ada", "ada"]})
    scores, nodes = load_predictor(bundle).top_k(1, 3, [0])
    assert [partner["node"] for partner in answer.json["partners"]] == [IDS[node] for node in nodes.tolist()]
    assert [partner["score"] for partner in answer.json["partners"]] == pytest.approx(scores.tolist(), abs=1e-6)


def test_what_it_says_of_itself(port: int) -> None:
    assert ask(port, "/healthz").json["status"] == "ok"
    card = ask(port, "/card").json
    assert (card["task"], card["nodes"], card["first_nodes"]) == ("link", 5, IDS[:3])
    assert set(ask(port, "/openapi.json").json["paths"]) >= {"/score", "/top_k", "/card", "/healthz", "/metrics"}
    assert ask(port, "/docs").status == 200
    assert b"graphkd_requests" in ask(port, "/metrics").body
    assert ask(port, "/predict", {"rows": [[1.0]]}).status == 404


WRONG = {
    "node": ("/score", {"pairs": [["ada", "nobody"]]}, 422, "pairs: 'nobody' is no node of this model"),
    "number": ("/score", {"pairs": [["ada", 1]]}, 422, "pairs: 1 is no node of this model"),
    "three": ("/score", {"pairs": [["ada", "bob", "cyd"]]}, 422, "pairs.0"),
    "half": ("/score", {"pairs": [["ada", 0.5]]}, 422, "pairs.0.1"),
    "none": ("/score", {"pairs": []}, 422, "pairs"),
    "field": ("/score", {"pairs": [["ada", "bob"]], "rows": []}, 422, "rows: there is no such field"),
    "json": ("/score", b"{", 400, "the body is no JSON"),
    "many": ("/score", {"pairs": [["ada", "bob"]] * 5000}, 413, "pairs: 5000 rows, and a request may have 4096"),
    "k": ("/top_k", {"node": "ada", "k": 0}, 422, "k: "),
    "left": ("/top_k", {"node": "ada", "exclude": IDS}, 422, "exclude: no node is left"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_question_is_refused_with_its_field(port: int, case: str) -> None:
    path, body, status, message = WRONG[case]
    answer = ask(port, path, body, headers={"Content-Type": "application/json"})
    assert answer.status == status
    assert answer.json["error"].startswith(message)
