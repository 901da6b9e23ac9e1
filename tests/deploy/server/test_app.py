import pytest

from graphkd.deploy.server.model_state import ModelState
from tests.deploy.server.conftest import Target
from tests.deploy.server.serving import ask


def test_the_document_states_bodies_and_widths(raw: Target) -> None:
    document = ask(raw.port, "/openapi.json").json
    row = document["components"]["schemas"]["Question"]["properties"]["rows"]["anyOf"][0]["items"]
    assert (row["minItems"], row["maxItems"]) == (5, 5)
    (name,) = document["paths"]["/v2/models/{name}"]["get"]["parameters"]
    assert name["schema"]["enum"] == ["student"]
    for path in ("/predict", "/v2/models/{name}/infer"):
        operation = document["paths"][path]["post"]
        assert {"200", "400", "413", "415", "422", "429", "503"} <= set(operation["responses"])
        assert "application/json" in operation["requestBody"]["content"]
    assert ask(raw.port, "/openapi.json").json == document


@pytest.mark.filterwarnings("ignore")
def test_a_mistake_of_ours_says_nothing_of_itself(raw: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a secret of the machine")

    monkeypatch.setattr(ModelState, "scores_of", fail)
    answer = ask(raw.port, "/predict", {"rows": raw.rows[:1].tolist()})
    assert answer.status == 500
    assert answer.json == {"error": "the server made a mistake: its log says which"}


def test_counters(raw: Target) -> None:
    ask(raw.port, "/predict", {"rows": raw.rows[:3].tolist()})
    answer = ask(raw.port, "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    text = answer.body.decode()
    assert 'graphkd_requests_total{route="/predict",status="200"}' in text
    assert 'graphkd_request_seconds_bucket{le="0.005",route="/predict"}' in text
    assert "graphkd_batch_rows_sum" in text
    assert "graphkd_requests_in_progress 1.0" in text  # this one
