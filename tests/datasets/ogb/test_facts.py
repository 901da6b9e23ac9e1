"""What is written down here is what the ``ogb`` package says, and scores are the same as its own."""

from pathlib import Path

import pandas as pd
import pytest
import torch

from graphkd.datasets import ogbn_arxiv, ogbn_papers100m, ogbn_products, ogbn_proteins
from graphkd.datasets.ogb.facts import FACTS, UNSUPPORTED
from graphkd.datasets.ogb.package import no_version_check
from graphkd.evaluation import METRICS
from graphkd.tasks import TASKS, Multiclass

with no_version_check():
    from ogb import nodeproppred

MASTER = pd.read_csv(Path(nodeproppred.__file__).parent / "master.csv", index_col=0, keep_default_na=False)


@pytest.mark.parametrize("facts", FACTS, ids=lambda facts: facts.name)
def test_the_facts_are_those_of_the_master_list(facts) -> None:
    column = MASTER[facts.name]
    assert facts.raw.files[0] == f"RELEASE_v{column['version']}.txt"
    stated = {
        "num classes": facts.num_classes, "split": facts.split, "add_inverse_edge": facts.add_inverse_edge,
        "binary": facts.binary, "download_name": facts.archive, "url": facts.url, "version": facts.version,
    }  # fmt: skip
    assert {key: str(value) for key, value in stated.items()} == column[list(stated)].to_dict()
    metric = "acc" if facts.num_tasks == 1 else "rocauc"
    assert (int(column["num tasks"]), column["eval metric"]) == (facts.num_tasks, metric)
    features = {"has_node_attr": not facts.edge_features, "has_edge_attr": facts.edge_features > 0}
    assert {key: str(value) for key, value in features.items()} == column[list(features)].to_dict()
    assert column["is hetero"] == "False"


def test_every_set_of_the_list_is_read_or_refused() -> None:
    assert {facts.name for facts in FACTS} | set(UNSUPPORTED) == set(MASTER)


@pytest.mark.parametrize("source", [ogbn_arxiv, ogbn_products, ogbn_papers100m], ids=lambda source: source.name)
def test_our_score_is_the_evaluator_s(source) -> None:
    generator = torch.Generator().manual_seed(0)
    logits, y = torch.randn(500, 40, generator=generator), torch.randint(40, (500,), generator=generator)
    logits[:200, :] += 3 * torch.nn.functional.one_hot(y[:200], 40)
    answer = {"y_true": y.unsqueeze(1), "y_pred": logits.argmax(dim=1, keepdim=True)}
    theirs = nodeproppred.Evaluator(source.name).eval(answer)["acc"]
    assert METRICS[source.metric or Multiclass.metrics[0]](logits, y) == pytest.approx(theirs, abs=1e-12)
    assert 0.3 < theirs < 0.6


def test_the_mean_area_is_the_evaluator_s() -> None:
    generator = torch.Generator().manual_seed(0)
    y = (torch.rand(300, 112, generator=generator) < torch.linspace(0.001, 0.999, 112)).float()
    y[:, 5], y[:, 6] = 0, 1  # neither of these two can be ranked
    y[torch.rand(300, 112, generator=generator) < 0.1] = torch.nan
    scores = torch.randint(6, (300, 112), generator=generator) + y.nan_to_num(0.5)  # six values and more: ties
    theirs = nodeproppred.Evaluator("ogbn-proteins").eval({"y_true": y, "y_pred": scores})["rocauc"]
    assert TASKS[ogbn_proteins.task]().score(ogbn_proteins.metric, scores, y) == pytest.approx(theirs, abs=1e-12)
    assert 0.55 < theirs < 0.8
