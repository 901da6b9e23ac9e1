import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import graphkd
from graphkd import Training
from graphkd.datasets import SETTINGS
from graphkd.deploy.card_texts import SETTINGS as DESCRIBED
from graphkd.deploy.exports.record import add_export
from graphkd.deploy.files import MODEL_CARD, read_bundle
from graphkd.deploy.model_card import model_card, with_license
from tests.conftest import make_data
from tests.deploy.bundles import make_bundle, student

SCORES = {"val": 0.75, "test": 0.5, "test_ind": 0.25, "test_tran": 0.5625}


def description(**changes: Any) -> dict[str, Any]:
    """Of a student of two hops and positions, with every field that a card reads."""
    return {
        "student": {"name": "mlp", "arguments": {"num_features": 7, "num_classes": 2}},
        "preprocessing": {"features": "binary", "row_normalize": True},
        "inputs": [{"name": "propagated", "hops": 2}, {"name": "positions", "dim": 4, "nodes": 9}],
        "class_names": ["no", "ye`s|"],
        "feature_names": ["a", "b", "c"],
        "card": {
            "dataset": "mine",
            "split": "public",
            "setting": "production",
            "teacher": "sage",
            "student": "mlp",
            "method": "glnn",
            "variant": "none",
            "matching": "last",
            "seed": 3,
            "metric": "accuracy",
            "reads": {"teacher": "neighbours", "student": "neighbours and positions", "mlp": "x"},
            "influence_of_full_graph": True,
            "selected_by": "macro_f1",
            "temperature": 2.0,
            "teacher_scores": SCORES,
            "transformed_teacher_scores": {"val": 0.5},
            "student_scores": {**SCORES, "test_ece": 0.125},
            "plain_scores": {"mlp": {"val": 0.5, "test": float("nan")}},
            "versions": {"python": "3.11", "graphkd": "0.1.0"},
        },
        **changes,
    }


def test_a_card_is_this_text() -> None:
    assert model_card(description()) == (Path(__file__).parent / "model_card.md").read_text("utf-8")


def test_the_metadata_are_what_the_hub_reads() -> None:
    metadata = metadata_of(model_card(description()))
    assert (metadata["library_name"], metadata["license"]) == ("graphkd", "unknown")
    assert metadata["metrics"] == ["accuracy"]
    (index,) = metadata["model-index"]
    (result,) = index["results"]
    assert result["dataset"] == {"type": "mine", "name": "mine", "split": "public"}
    assert [metric["value"] for metric in result["metrics"]] == [0.5, 0.25, 0.5625]


def test_the_hubs_own_reader_takes_the_metadata() -> None:
    hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub comes with the extra `hub`")
    results = hub.ModelCard(model_card(description())).data.eval_results
    assert [(each.dataset_name, each.metric_type, each.metric_value) for each in results] == [
        ("mine", "accuracy", value) for value in (0.5, 0.25, 0.5625)
    ]


@pytest.mark.parametrize(
    ("inputs", "call"),
    [
        ([{"name": "raw"}], "predict(x)"),
        ([{"name": "propagated", "hops": 2}], "predict(x, edge_index)"),
        ([{"name": "propagated", "hops": 1, "weighted": True}], "predict(x, edge_index, edge_weight=weight)"),
        ([{"name": "raw"}, {"name": "positions", "dim": 4, "nodes": 9}], "predict(x, nodes=nodes)"),
        ([{"name": "positions", "dim": 7, "nodes": 9}], "predict(None, nodes=nodes)"),
    ],
)
def test_the_call_is_that_of_the_students_inputs(inputs: list[dict[str, Any]], call: str) -> None:
    assert f"model.{call}\n" in model_card(description(inputs=inputs))


def test_every_setting_is_described() -> None:
    assert DESCRIBED.keys() == SETTINGS.keys()


@pytest.mark.parametrize("card", [{}, {"student_scores": [1], "reads": 3, "columns": ["a\nb", 1], "seed": {}}])
def test_a_card_that_states_little_or_anything_is_still_one(card: dict[str, Any]) -> None:
    text = model_card(description(card=card, class_names=None))
    assert "None are on record." in text
    assert "2 classes without names" in text


def test_a_name_cannot_end_its_line_or_its_quotes() -> None:
    text = model_card(description(class_names=["a\n# b", "``x``"]))
    assert "  - `a\\n# b`\n  - ``` ``x`` ```\n" in text


def test_long_lists_are_cut() -> None:
    text = model_card(description(class_names=list(range(100))))
    assert "  - `39`\n  - and 60 more, which `bundle.json` lists\n" in text
    assert "`40`" not in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("---\nlicense: unknown\ntags: []\n---\nx\n", "---\nlicense: mit\ntags: []\n---\nx\n"),
        ("---\ntags: []\n---\nlicense: x\n", "---\nlicense: mit\ntags: []\n---\nlicense: x\n"),
        ("# Mine\n", "---\nlicense: mit\n---\n\n# Mine\n"),
        ("---\r\nlicense: a\r\n---\r\nx\r\n", "---\nlicense: mit\n---\nx\r\n"),
    ],
)
def test_a_license_is_replaced_or_added(text: str, expected: str) -> None:
    assert with_license(text, "mit") == expected


def test_a_runs_card_has_the_scores_of_all_models_and_the_same_bytes_again(tmp_path: Path) -> None:
    texts = []
    for name in ("a", "b"):
        run = graphkd.distill(make_data(), training=Training(max_epochs=2))
        run.save(tmp_path / name)
        texts.append((tmp_path / name / "bundle" / MODEL_CARD).read_bytes())
    assert texts[0] == texts[1]
    seed = run.metrics["seeds"][0]
    rows = re.findall(r"^\| (.+?) \| (.+?) \| ([\d.]+) \| ([\d.]+) \|", texts[0].decode(), re.M)
    assert rows == [
        (label, reads, f"{seed[part]['val']:.4f}", f"{seed[part]['test']:.4f}")
        for label, reads, part in (
            ("teacher", "neighbours", "teacher"),
            ("plain MLP", "x", "mlp"),
            ("**student**", "x", "student"),
        )
    ]
    card = json.loads((tmp_path / "a" / "bundle" / "bundle.json").read_text())["card"]
    assert card["plain_scores"] == {"mlp": seed["mlp"]}


def test_an_edited_card_outlives_an_export_and_one_that_is_missing_is_no_fault(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path, student())
    (bundle / MODEL_CARD).write_text("mine")
    add_export(read_bundle(bundle), "c", {"c/student.c": b""}, {"parity": {}})
    assert (bundle / MODEL_CARD).read_text() == "mine"
    (bundle / MODEL_CARD).unlink()
    assert graphkd.load_bundle(bundle).num_features == 5


def metadata_of(text: str) -> dict[str, Any]:
    metadata: dict[str, Any] = yaml.safe_load(text.split("---\n")[1])
    return metadata
