import json
import time
from typing import Any

import numpy as np
import pytest

from graphkd.deploy.server.inference import HEADER
from graphkd.deploy.server.tensors import DATATYPES, SIZE
from tests.deploy.server.conftest import Target
from tests.deploy.server.serving import Answer, ask

INFER = "/v2/models/student/infer"


def tensor(x: np.ndarray, datatype: str = "FP32", **more: Any) -> dict[str, Any]:
    return {"name": "rows", "shape": list(x.shape), "datatype": datatype, "data": x.tolist(), **more}


def outputs(answer: Answer) -> dict[str, np.ndarray]:
    assert answer.status == 200, answer.body
    size = int(answer.headers.get(HEADER.lower(), len(answer.body)))
    found, tail = {}, answer.body[size:]
    for each in json.loads(answer.body[:size])["outputs"]:
        kind = np.dtype(DATATYPES[each["datatype"]])
        if SIZE in each.get("parameters", {}):
            taken = each["parameters"][SIZE]
            found[each["name"]] = np.frombuffer(tail[:taken], kind).reshape(each["shape"])
            tail = tail[taken:]
        else:
            found[each["name"]] = np.array(each["data"], kind).reshape(each["shape"])
    assert not tail
    return found


def in_bytes(x: np.ndarray, datatype: str, **more: Any) -> tuple[bytes, dict[str, str]]:
    content = x.astype(DATATYPES[datatype]).tobytes()
    given = {"name": "rows", "shape": list(x.shape), "datatype": datatype, "parameters": {SIZE: len(content)}}
    head = json.dumps({"inputs": [given], **more}).encode()
    return head + content, {HEADER: str(len(head)), "Content-Type": "application/octet-stream"}


def check(found: dict[str, np.ndarray], raw: Target, rows: Any) -> None:
    np.testing.assert_array_equal(found["probabilities"], raw.model.predict_proba(rows))
    np.testing.assert_array_equal(found["logits"], raw.model.logits(rows))
    np.testing.assert_array_equal(found["classes"], raw.model.predict(rows))


@pytest.mark.parametrize("count", [1, 50])
@pytest.mark.parametrize("flat", [False, True])
def test_json_tensors_to_the_bit(raw: Target, count: int, flat: bool) -> None:
    rows = raw.rows[:count]
    given = {**tensor(rows), "data": rows.reshape(-1).tolist()} if flat else tensor(rows)
    answer = ask(raw.port, INFER, {"id": "42", "inputs": [given], "parameters": {"unknown": 1}})
    check(outputs(answer), raw, rows)
    assert answer.json["id"] == "42"
    assert answer.json["model_name"] == "student"
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("datatype", DATATYPES)
def test_every_datatype_in_json_and_in_bytes(raw: Target, datatype: str) -> None:
    rows = np.array([[1, 0, 2, 3, 0], [0, 1, 0, 0, 1]]).astype(DATATYPES[datatype])
    check(outputs(ask(raw.port, INFER, {"inputs": [tensor(rows, datatype)]})), raw, rows)
    body, headers = in_bytes(rows, datatype)
    check(outputs(ask(raw.port, INFER, body, headers=headers)), raw, rows)


def test_bytes_come_back_where_they_are_asked_for(raw: Target) -> None:
    rows = raw.rows[:7]
    body, headers = in_bytes(rows, "FP32", parameters={"binary_data_output": True})
    answer = ask(raw.port, INFER, body, headers=headers)
    assert answer.headers["content-type"] == "application/octet-stream"
    check(outputs(answer), raw, rows)
    wanted = [{"name": "classes"}, {"name": "probabilities", "parameters": {"binary_data": True}}]
    found = outputs(ask(raw.port, INFER, {"inputs": [tensor(rows)], "outputs": wanted}))
    assert list(found) == ["classes", "probabilities"]
    np.testing.assert_array_equal(found["probabilities"], raw.model.predict_proba(rows))


def test_a_body_of_bytes_alone(raw: Target) -> None:
    content = raw.rows.astype("<f4").tobytes()
    check(outputs(ask(raw.port, INFER, content, headers={HEADER: "0"})), raw, raw.rows)


def test_names_and_versions_of_models(raw: Target, hops: Target) -> None:
    assert ask(raw.port, "/v2").json["extensions"] == ["binary_tensor_data"]
    assert ask(raw.port, "/v2/health/live").json == {"live": True}
    assert ask(raw.port, "/v2/health/ready").json == {"ready": True}
    assert ask(raw.port, "/v2/models/student/ready").json == {"name": "student", "ready": True}
    assert ask(raw.port, "/v2/models/student/versions/1/ready").status == 200
    assert ask(raw.port, "/v2/models/student/versions/1").json == ask(raw.port, "/v2/models/student").json
    assert ask(raw.port, "/v2/models/student").json["inputs"] == [
        {"name": "rows", "datatype": "FP32", "shape": [-1, 5]}
    ]
    assert ask(hops.port, "/v2/models/student").json["inputs"][0]["name"] == "propagated"
    assert ask(hops.port, "/v2/models/student-nodes").json["inputs"] == [
        {"name": "nodes", "datatype": "INT64", "shape": [-1]}
    ]
    for path in ("/v2/models/other", "/v2/models/other/ready", "/v2/models/student/versions/2/ready"):
        assert ask(raw.port, path).status == 404
    answer = ask(raw.port, "/v2/models/other/infer", {"inputs": [tensor(raw.rows)]})
    assert answer.json == {"error": "there is no such model: this server has student"}


def test_a_student_with_hops_by_node_and_by_propagated_rows(hops: Target) -> None:
    assert hops.store is not None
    rows = hops.store.rows([3, 0])
    want = hops.model.predict_proba(rows, propagated=True)
    given = {"name": "nodes", "shape": [2], "datatype": "INT64", "data": [3, 0]}
    found = outputs(ask(hops.port, "/v2/models/student-nodes/infer", {"inputs": [given]}))
    np.testing.assert_array_equal(found["probabilities"], want)
    found = outputs(ask(hops.port, INFER, {"inputs": [tensor(rows, name="propagated")]}))
    np.testing.assert_array_equal(found["probabilities"], want)


X = np.ones((2, 5), dtype=np.float32)
MISTAKES: dict[str, tuple[Any, str, str]] = {
    "no inputs": ({"inputs": []}, "inputs", "at least 1 item"),
    "no list": ({"inputs": {}}, "inputs", "valid array"),
    "two inputs": ({"inputs": [tensor(X), tensor(X)]}, "inputs.1", "one input"),
    "another name": ({"inputs": [tensor(X, name="x")]}, "inputs.0.name", "takes rows, not 'x'"),
    "no name": ({"inputs": [{"shape": [1, 5]}]}, "inputs.0.name", "field required"),
    "wide": ({"inputs": [tensor(np.ones((2, 6)))]}, "inputs.0.shape", "at least one row, and is [2, 6]"),
    "empty": ({"inputs": [tensor(np.ones((0, 5)))]}, "inputs.0.shape", "at least one row"),
    "flat": ({"inputs": [tensor(np.ones(5))]}, "inputs.0.shape", "[rows, 5]"),
    "negative": ({"inputs": [tensor(X, shape=[-2, 5])]}, "inputs.0.shape.0", "greater than or equal"),
    "a lie": ({"inputs": [tensor(X, shape=[3, 5])]}, "inputs.0.data", "has shape [2, 5], and the tensor [3, 5]"),
    "texts": ({"inputs": [tensor(X, "BYTES")]}, "inputs.0.datatype", "'BYTES' is none of BOOL"),
    "ragged": ({"inputs": [tensor(X, data=[[1], [1, 2]])]}, "inputs.0.data", "lists of several lengths"),
    "no data": ({"inputs": [tensor(X, data=None)]}, "inputs.0.data", "give data, or parameters.binary_data_size"),
    "a text": ({"inputs": [tensor(X, data=["1"] * 10)]}, "inputs.0.data", "something else than FP32"),
    "a hole": ({"inputs": [tensor(X, data=[None] * 10)]}, "inputs.0.data", "something else than FP32"),
    "fractions": ({"inputs": [tensor(X / 2, "INT8")]}, "inputs.0.data", "something else than INT8"),
    "overflow": ({"inputs": [tensor(300 * X.astype(int), "INT8")]}, "inputs.0.data", "beyond INT8"),
    "underflow": ({"inputs": [tensor(-X.astype(int), "UINT8")]}, "inputs.0.data", "beyond UINT8"),
    "huge": ({"inputs": [tensor(X, "INT64", data=[2**70] * 10)]}, "inputs.0.data", "else than INT64"),
    "half infinite": ({"inputs": [tensor(X, "FP16", data=[1e6] * 10)]}, "inputs.0.data.0.0", "no finite"),
    "none": ({"inputs": [tensor(X, data=None, parameters={SIZE: 40})]}, f"inputs.0.parameters.{SIZE}", "follow"),
    "no number": (
        {"inputs": [tensor(X, data=None, parameters={SIZE: True})]}, f"inputs.0.parameters.{SIZE}", "has 40 bytes"
    ),
    "both": ({"inputs": [tensor(X, parameters={SIZE: 40})]}, "inputs.0.data", "leave it out"),
    "output": ({"inputs": [tensor(X)], "outputs": [{"name": "y"}]}, "outputs.0.name", "none of probabilities"),
    "id": ({"inputs": [tensor(X)], "id": 3}, "id", "valid string"),
    "shape": ({"inputs": [tensor(X, shape=[2.5, 5])]}, "inputs.0.shape.0", "valid integer"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_named(raw: Target, mistake: str) -> None:
    body, field, text = MISTAKES[mistake]
    answer = ask(raw.port, INFER, body)
    assert answer.status == 422, answer.body
    assert answer.json["field"] == field, answer.body
    assert text in answer.json["error"], answer.body


def test_raw_rows_for_a_student_with_hops(hops: Target) -> None:
    answer = ask(hops.port, INFER, {"inputs": [tensor(hops.rows)]})
    assert answer.status == 422
    assert "propagated over 2 hops" in answer.json["error"]


@pytest.mark.parametrize(
    ("given", "status", "field"),
    [
        ({"data": [20]}, 422, "inputs.0.data.0"),
        ({"data": [-1]}, 422, "inputs.0.data.0"),
        ({"datatype": "FP32", "data": [1.0]}, 422, "inputs.0.datatype"),
        ({"datatype": "UINT64", "data": [2**63]}, 422, "inputs.0.data"),
        ({"shape": [1, 1]}, 422, "inputs.0.shape"),
    ],
)
def test_nodes_that_are_none(hops: Target, given: dict[str, Any], status: int, field: str) -> None:
    whole = {"name": "nodes", "shape": [1], "datatype": "INT64", "data": [3], **given}
    answer = ask(hops.port, "/v2/models/student-nodes/infer", {"inputs": [whole]})
    assert (answer.status, answer.json["field"]) == (status, field), answer.body


@pytest.mark.parametrize("header", ["-1", "x", "1e3", "99999", "", "٣", "1" * 30])
def test_lengths_that_cannot_be_right(raw: Target, header: str) -> None:
    answer = ask(raw.port, INFER, b"{}", headers={HEADER: header.encode().decode("latin-1")})
    assert (answer.status, answer.json["field"]) == (400, HEADER)


def test_bytes_that_belong_to_nothing_or_are_no_numbers(raw: Target) -> None:
    body, headers = in_bytes(raw.rows, "FP32")
    assert ask(raw.port, INFER, body + b"1234", headers=headers).json["field"] == "inputs.0.parameters"
    answer = ask(raw.port, INFER, body[:-1], headers=headers)
    assert answer.json["field"] == f"inputs.0.parameters.{SIZE}"
    rows = raw.rows.copy()
    rows[3, 2] = np.nan
    body, headers = in_bytes(rows, "FP32")
    answer = ask(raw.port, INFER, body, headers=headers)
    assert (answer.status, answer.json["field"]) == (422, "inputs.0.data.3.2")
    assert ask(raw.port, INFER, b"123", headers={HEADER: "0"}).status == 422


@pytest.mark.parametrize("part", [b'"inputs":[%s]', b'"inputs":[{"name":"rows","shape":[%s]}]', b'"outputs":[%s]'])
def test_a_million_mistakes_cost_as_much_as_one(raw: Target, part: bytes) -> None:
    begin = time.process_time()
    answer = ask(raw.port, INFER, b"{" + part % (b"{}," * 10**6 + b"{}") + b"}")
    assert answer.status == 422
    assert len(answer.body) < 300
    assert time.process_time() - begin < 3
