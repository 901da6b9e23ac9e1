"""The model card of a bundle: a ``README.md`` for readers, with the metadata that model hubs read."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from graphkd.deploy.card_texts import ADD_ONS, LIMITS, NO_PLAIN, SCORES, SETTINGS
from graphkd.deploy.inputs import InputParts
from graphkd.errors import printable

LICENSE = "unknown"
"""Identifier of a license that was not stated."""

ADDRESS = "hf://OWNER/NAME"
"""Stands in the card for the address that the bundle is pushed to."""

MOST = 40
"""Classes and columns that are listed."""

MODELS = {
    "teacher": "teacher",
    "transformed_teacher": "teacher, as it was distilled",
    "mlp": "plain MLP",
    "mlp_same_inputs": "plain MLP with the student's inputs",
    "student": "**student**",
}
"""Models in the order of the table of scores."""


def model_card(description: Mapping[str, Any]) -> str:
    """Returns the model card of a bundle as Markdown, the same text for the same description.

    Args:
        description: content of ``bundle.json``.
    """
    card = description["card"]
    sections = (
        _title(card, description),
        _data(card),
        _scores(card),
        _inputs(card, description),
        _classes(description),
        _use(description),
        _limits(card, description),
        _versions(card),
    )
    return f"---\n{_metadata(card)}---\n\n" + "\n".join("\n".join(lines) + "\n" for lines in sections)


def with_license(text: str, license_id: str) -> str:
    r"""Returns a model card with another license in its metadata.

    >>> print(with_license("---\nlicense: unknown\n---\n", "mit"), end="")
    ---
    license: mit
    ---

    Args:
        text: of the card; metadata are added if it has none.
        license_id: as the hub lists them, such as ``mit``.
    """
    line = f"license: {license_id}\n"
    metadata = re.match(r"---\r?\n(.*?)^---\r?$", text, re.S | re.M)
    if metadata is None:
        return f"---\n{line}---\n\n{text}"
    content, count = re.subn(r"^license:.*\n", line, metadata[1], count=1, flags=re.M)
    return f"---\n{content if count else line + content}---{text[metadata.end() :]}"


def _metadata(card: Mapping[str, Any]) -> str:
    import yaml  # type: ignore[import-untyped]  # of omegaconf

    results = _results(card)
    metadata = {
        "library_name": "graphkd",
        "license": LICENSE,
        "pipeline_tag": "graph-ml",
        "tags": ["graphkd", "node-classification", "knowledge-distillation", "mlp", "safetensors"],
        **({"metrics": [metric["type"] for metric in results[:1]]} if results else {}),
        **({"model-index": _model_index(card, results)} if results else {}),
    }
    text: str = yaml.safe_dump(metadata, sort_keys=False, allow_unicode=True, width=math.inf)
    return text


def _results(card: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the student's scores on test nodes in the hub's form."""
    metric = str(card.get("metric", "accuracy"))
    kind = {"macro_f1": "f1"}.get(metric, metric)
    scores = _numbers(card.get("student_scores"))
    tests = [key for key in SCORES if key in scores and key in ("test", "test_ind", "test_tran")]
    return [{"type": kind, "name": f"{metric} ({key})", "value": round(scores[key], 4)} for key in tests]


def _model_index(card: Mapping[str, Any], results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    name, split = _text(card, "dataset"), _text(card, "split")
    parts = [_text(card, key) for key in ("dataset", "split", "setting", "teacher", "method")]
    task = {"type": "graph-ml", "name": "Node classification"}
    data = {"type": name, "name": name, "split": split}
    return [{"name": "-".join(parts), "results": [{"task": task, "dataset": data, "metrics": results}]}]


def _title(card: Mapping[str, Any], description: Mapping[str, Any]) -> list[str]:
    teacher, method = _text(card, "teacher"), _text(card, "method")
    origin = "without a teacher" if teacher == "none" else f"from the teacher {_code(teacher)}"
    return [
        f"# A student on {_code(_text(card, 'dataset'))}",
        "",
        f"A multilayer perceptron that classifies nodes, trained by {_code(method)} {origin} with graphkd. "
        f"When it answers, it reads {_read(InputParts.of(description))}.",
    ]


def _read(parts: InputParts) -> str:
    if parts.hops:
        return "the features of a node and of its neighbours"
    if parts.dim:
        return "no neighbours of a node that was in training, and those of a new one for its vector"
    return "the features of a node, and no neighbours"


def _data(card: Mapping[str, Any]) -> list[str]:
    setting = _text(card, "setting")
    extra = {key: card.get(key) for key in ("variant", "matching", "influence", "encoder", *ADD_ONS)}
    selector = _code(card.get("selected_by") or card.get("metric", "accuracy"))
    chosen = [
        f"{key} {_code(value)}" for key, value in extra.items() if isinstance(value, str) and value != "none"
    ]
    return [
        "## Data and protocol",
        "",
        f"- Data set {_code(_text(card, 'dataset'))}, split {_code(_text(card, 'split'))}, "
        f"seed {_code(card.get('seed', 'unknown'))}.",
        f"- Setting {_code(setting)}: {SETTINGS.get(setting, 'not described here.')}",
        f"- The loss reads labels of training nodes; validation nodes choose the epoch to keep, by {selector}.",
        *(["- Validation nodes also fit the temperature of its probabilities."] if "temperature" in card else []),
        *([f"- Further parts: {', '.join(chosen)}."] if chosen else []),
    ]


def _scores(card: Mapping[str, Any]) -> list[str]:
    metric, seed = _code(card.get("metric", "accuracy")), _code(card.get("seed", "unknown"))
    models = {**_mapping(card.get("plain_scores"))}
    models |= {name: card.get(f"{name}_scores") for name in ("teacher", "transformed_teacher", "student")}
    found = {name: _numbers(models.get(name)) for name in MODELS if _numbers(models.get(name))}
    columns = [key for key in SCORES if any(key in scores for scores in found.values())]
    if not columns:
        return ["## Scores", "", "None are on record."]
    reads = _mapping(card.get("reads"))
    reads = {**reads, "transformed_teacher": reads.get("teacher", "unknown")}
    rows = [
        [MODELS[name], str(reads.get(name, "unknown")), *(_score(scores.get(key)) for key in columns)]
        for name, scores in found.items()
    ]
    table = [["model", "reads", *columns], ["---"] * (2 + len(columns)), *rows]
    return [
        "## Scores",
        "",
        f"{metric} from 0 to 1, of seed {seed} alone: the run's own report has all of its seeds.",
        "",
        *(f"| {' | '.join(row)} |" for row in table),
        "",
        *(f"- `{key}`: {SCORES[key]}" for key in columns),
        *([] if card.get("method") == "mlp" or {"mlp", "mlp_same_inputs"} & found.keys() else ["", NO_PLAIN]),
    ]


def _inputs(card: Mapping[str, Any], description: Mapping[str, Any]) -> list[str]:
    parts, steps = InputParts.of(description), description["preprocessing"]
    width = int(description["student"]["arguments"]["num_features"])
    lines = ["## What it reads", ""]
    if parts.features:
        lines.append(f"- {parts.raw_width(width)} features of a node.")
    if steps["features"] != "stored" or steps["row_normalize"]:
        binary = ["set to 0 and 1"] if steps["features"] == "binary" else []
        scaled = ["divided by their sum per row"] if steps["row_normalize"] else []
        lines.append(f"- Features are {' and '.join(binary + scaled)}; the bundle does this itself.")
    if parts.hops:
        weights = "with" if parts.weighted else "without"
        lines.append(f"- Features of neighbours over {parts.hops} hops, in a graph {weights} edge weights.")
    if parts.dim:
        lines.append(
            f"- A vector of {parts.dim} numbers for each of {parts.nodes} nodes of training, in the bundle."
        )
    columns = card.get("columns") or description.get("feature_names") or []
    return [*lines, *_listed("Columns", columns)]


def _classes(description: Mapping[str, Any]) -> list[str]:
    count = int(description["student"]["arguments"].get("num_classes", 2))
    names = description["class_names"]
    if names is None:
        return ["## Classes", "", f"{count} classes without names: `0` to `{count - 1}`."]
    return ["## Classes", "", *_listed(f"{count} classes", names)]


def _use(description: Mapping[str, Any]) -> list[str]:
    parts, named = InputParts.of(description), "columns" in description
    rows = "None" if not parts.features else "rows" if named else "x"
    call = ", ".join(
        [rows, *(["edge_index"] if parts.hops else []), *(["edge_weight=weight"] if parts.weighted else [])]
        + (["nodes=nodes"] if parts.dim else [])
    )
    remarks = {
        "rows: a data frame, or a list of mappings by name": named,
        "x: [B, D] numbers, a row per node": parts.features and not named,
        "edge_index: [2, E], sender and receiver": parts.hops > 0,
        "nodes: [B] numbers among the nodes of training, -1 for a new one": parts.dim > 0,
    }
    return [
        "## Use",
        "",
        "```python",
        "import graphkd",
        "",
        f'model = graphkd.load_bundle("{ADDRESS}")  # or the path of this folder',
        *(f"# {remark}" for remark, applies in remarks.items() if applies),
        f"classes = model.predict({call})",
        f"probabilities = model.predict_proba({call})",
        "```",
    ]


def _limits(card: Mapping[str, Any], description: Mapping[str, Any]) -> list[str]:
    applies = {
        "graphs": True,
        "fairness": True,
        "drift": True,
        "privacy": True,
        "positions": InputParts.of(description).dim > 0,
        "influence": bool(card.get("influence_of_full_graph")),
        "teacher": bool(card.get("teacher_may_have_seen_hidden")),
        "license": True,
    }
    return ["## Limits", "", *(f"- {LIMITS[name]}" for name, holds in applies.items() if holds)]


def _versions(card: Mapping[str, Any]) -> list[str]:
    versions = _mapping(card.get("versions")) or {"graphkd": "unknown"}
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    return ["## Versions", "", f"Trained with {_code(listed)}."]


def _listed(what: str, values: Iterable[Any]) -> list[str]:
    lines = [f"  - {_code(value)}" for value in values]
    more = [f"  - and {len(lines) - MOST} more, which `bundle.json` lists"] if len(lines) > MOST else []
    return [f"- {what}:", *lines[:MOST], *more] if lines else []


def _code(value: Any) -> str:
    """Returns a value as code, which Markdown shows as it is; names of a user's may hold any character."""
    text = printable(str(value))
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}{text}{fence}" if len(fence) == 1 else f"{fence} {text} {fence}"


def _text(card: Mapping[str, Any], key: str) -> str:
    return printable(str(card.get(key, "unknown")))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _numbers(value: Any) -> dict[str, float]:
    """Returns the finite numbers of a mapping; a bundle from elsewhere may state anything as scores."""
    numbers = {key: each for key, each in _mapping(value).items() if type(each) in (int, float)}
    return {key: float(each) for key, each in numbers.items() if math.isfinite(each)}


def _score(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
