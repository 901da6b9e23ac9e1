import time
from typing import Any

import numpy as np
import pytest

from graphkd import GraphKDError
from tests.deploy.server.conftest import Target
from tests.deploy.server.serving import Answer, ask


def predicted(answer: Answer) -> tuple[list[int], np.ndarray]:
    assert answer.status == 200, answer.body
    found = answer.json["predictions"]
    return [each["class"] for each in found], np.array([each["probabilities"] for each in found], dtype=np.float32)


@pytest.mark.parametrize("count", [1, 2, 50])
def test_it_answers_like_the_runtime_to_the_bit(raw: Target, count: int) -> None:
    rows = raw.rows[:count]
    classes, proba = predicted(ask(raw.port, "/predict", {"rows": rows.tolist()}))
    np.testing.assert_array_equal(classes, raw.model.predict(rows))
    np.testing.assert_array_equal(proba, raw.model.predict_proba(rows))


def test_whole_numbers_are_numbers(raw: Target) -> None:
    rows = [[1, 0, 2, -3, 0]]
    _, proba = predicted(ask(raw.port, "/predict", {"rows": rows}))
    np.testing.assert_array_equal(proba, raw.model.predict_proba(rows))


ROW = [0.5, 1, 0, 0, 2]
MISTAKES: dict[str, tuple[Any, int, str | None, str]] = {
    "nothing": ({}, 422, "rows", "give rows, or nodes, and not both"),
    "both": ({"rows": [ROW], "nodes": [1]}, 422, "rows", "and not both"),
    "no rows": ({"rows": []}, 422, "rows", "at least 1 item"),
    "a short row": ({"rows": [ROW, ROW[:3]]}, 422, "rows.1", "a row has 5 numbers, this one 3"),
    "an empty row": ({"rows": [[]]}, 422, "rows.0", "a row has 5 numbers, this one 0"),
    "a text": ({"rows": [[*ROW[:4], "2"]]}, 422, "rows.0.4", "valid number"),
    "a truth value": ({"rows": [[*ROW[:4], True]]}, 422, "rows.0.4", "valid number"),
    "a hole": ({"rows": [[*ROW[:4], None]]}, 422, "rows.0.4", "valid number"),
    "a flat row": ({"rows": ROW}, 422, "rows.0", "valid array"),
    "beyond float32": ({"rows": [ROW, [*ROW[:4], 1e39]]}, 422, "rows.1.4", "no finite number of float32"),
    "an unknown key": ({"rows": [ROW], "row": 1}, 422, "row", "no such field"),
    "no nodes here": ({"nodes": [1]}, 422, "nodes", "start it with --store"),
    "no neighbours here": ({"rows": [ROW], "neighbours": [[1]]}, 422, "neighbours", "--store"),
    "nothing to propagate": ({"rows": [ROW], "propagated": True}, 422, "propagated", "takes raw rows"),
    "weights alone": ({"rows": [ROW], "weights": [[1]]}, 422, "weights", "belongs to neighbours"),
    "a list": ([ROW], 422, "body", "be an object"),
    "NaN": (b'{"rows": [[NaN, 1, 2, 3, 4]]}', 422, "rows.0.0", "finite number"),
    "1e999": (b'{"rows": [[1e999, 1, 2, 3, 4]]}', 422, "rows.0.0", "finite number"),
    "no JSON": (b"rows=1", 400, None, "the body is no JSON"),
    "no text": (b"\xff\xfe", 400, None, "the body is no JSON"),
    "nothing at all": (b"", 400, None, "the body is no JSON"),
    "very deep": (b"[" * 100_000, 400, None, "recursion limit"),
    "very long": (b'{"rows": [[' + b"1" * 100_000 + b"]]}", 400, None, "number out of range"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_named(raw: Target, mistake: str) -> None:
    body, status, field, text = MISTAKES[mistake]
    answer = ask(raw.port, "/predict", body, headers={"Content-Type": "application/json"})
    assert answer.status == status, answer.body
    assert answer.json.get("field") == field, answer.body
    assert text in answer.json["error"], answer.body


def test_raw_rows_of_a_student_with_hops_are_refused(hops: Target) -> None:
    answer = ask(hops.port, "/predict", {"rows": hops.rows[:1].tolist()})
    assert answer.status == 422
    assert answer.json["field"] == "rows"
    assert (
        "trained on features propagated over 2 hops: send nodes, raw rows with their neighbours"
        in answer.json["error"]
    )


def test_by_node_by_neighbours_and_by_propagated_rows(hops: Target) -> None:
    store = hops.store
    assert store is not None
    rows = store.rows([3, 0, 18])
    want = hops.model.predict_proba(rows, propagated=True)
    np.testing.assert_array_equal(predicted(ask(hops.port, "/predict", {"nodes": [3, 0, 18]}))[1], want)
    body: dict[str, Any] = {"rows": rows.tolist(), "propagated": True}
    np.testing.assert_array_equal(predicted(ask(hops.port, "/predict", body))[1], want)
    new = hops.rows[:2]
    made = np.stack([store.row_for(new[0], [3, 5]), store.row_for(new[1], [])])
    body = {"rows": new.tolist(), "neighbours": [[3, 5], []]}
    want = hops.model.predict_proba(made, propagated=True)
    np.testing.assert_array_equal(predicted(ask(hops.port, "/predict", body))[1], want)


RAW = [0.5, 1, 0, 0]
STORED: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown": ({"nodes": [3, 20]}, "nodes.1", "there is no node 20: the store has ids 0 to 19"),
    "deleted": ({"nodes": [19]}, "nodes.0", "node 19 was deleted"),
    "negative": ({"nodes": [0, -1]}, "nodes.1", "greater than or equal to 0"),
    "huge": ({"nodes": [2**70]}, "nodes.0", "less than"),
    "a fraction": ({"nodes": [1.5]}, "nodes.0", "valid integer"),
    "true": ({"nodes": [True]}, "nodes.0", "valid integer"),
    "an unknown neighbour": ({"rows": [RAW], "neighbours": [[20]]}, "neighbours.0", "there is no node 20"),
    "too few lists": ({"rows": [RAW, RAW], "neighbours": [[1]]}, "neighbours", "a list per row, 2 and not 1"),
    "weights": ({"rows": [RAW], "neighbours": [[1]], "weights": [[1.0]]}, "neighbours.0", "have no weights"),
    "odd weights": ({"rows": [RAW], "neighbours": [[1]], "weights": [[]]}, "weights", "a weight per neighbour"),
    "both": ({"rows": [RAW], "neighbours": [[1]], "propagated": True}, "propagated", "need no neighbours"),
    "propagated nodes": ({"nodes": [1], "propagated": True}, "propagated", "belongs to rows"),
    "narrow": ({"rows": [RAW], "propagated": True}, "rows.0", "a row has 12 numbers, this one 4"),
}


@pytest.mark.parametrize("mistake", STORED)
def test_mistakes_with_nodes_are_named(hops: Target, mistake: str) -> None:
    body, field, text = STORED[mistake]
    answer = ask(hops.port, "/predict", body)
    assert answer.status == 422, answer.body
    assert answer.json["field"] == field, answer.body
    assert text in answer.json["error"], answer.body


def test_the_card_says_what_is_served(hops: Target) -> None:
    card = ask(hops.port, "/card").json
    assert (card["features"], card["propagated_features"], card["hops"], card["classes"]) == (4, 12, 2, 3)
    assert card["nodes"]
    assert card["card"] == {"dataset": "x", "seed": 0}


def overflows(target: Target, row: np.ndarray) -> bool:
    """Whether the student has no answer for a propagated row."""
    try:
        target.model.predict_proba(row[None], propagated=True)
    except GraphKDError:
        return True
    return False


def test_no_answer_where_the_student_s_own_numbers_overflow(hops: Target) -> None:
    """The runtime's answer is NaN, which is no JSON and no answer."""
    large = 3e38 * np.sign(np.random.default_rng(0).standard_normal((20, 12))).astype(np.float32)
    lost = next(row for row in large if overflows(hops, row))
    answer = ask(hops.port, "/predict", {"rows": [[1.0] * 12, lost.tolist()], "propagated": True})
    assert (answer.status, answer.json["field"]) == (422, "rows.1")
    assert "logits overflow" in answer.json["error"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"rows":[[' + b'"",' * 10**6 + b"0]]}",
        b'{"rows":[' + b"1," * 10**6 + b"0]}",
        b"{" + b",".join(b'"%d":0' % key for key in range(3 * 10**5)) + b"}",
        b'{"nodes":[' + b"-1," * 10**6 + b"0]}",
        b'{"rows":[' + b"[]," * 10**5 + b"[]]}",
    ],
    ids=["numbers", "rows", "keys", "nodes", "lists"],
)
def test_a_million_mistakes_cost_as_much_as_one(raw: Target, body: bytes) -> None:
    """A message for each would take half a minute and gigabytes."""
    begin = time.process_time()
    answer = ask(raw.port, "/predict", body, headers={"Content-Type": "application/json"})
    assert answer.status in (413, 422)
    assert len(answer.body) < 300
    assert time.process_time() - begin < 3


def test_rows_are_taken_by_name(raw: Target) -> None:
    """The server of rows whose names the bundle does not hold takes them by position; see ``test_served``."""
    rows = raw.rows[:2].tolist()
    _, proba = predicted(ask(raw.port, "/predict", {"rows": rows, "columns": list("abcde")}))
    np.testing.assert_array_equal(proba, raw.model.predict_proba(raw.rows[:2]))
    answer = ask(raw.port, "/predict", {"rows": rows, "columns": list("abcd")})
    assert (answer.status, answer.json["field"]) == (422, "rows.0")
    assert "there are 4 columns, this one 5" in answer.json["error"]
