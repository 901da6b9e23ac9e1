import functools

import pytest

from graphkd import GraphKDError, datasets, influence, matching, methods, students, teachers
from graphkd.registry import catalogue, lookup, parameters_of, source_of
from graphkd.spec import name_of, settings_of


def test_everything_selectable_and_nothing_else() -> None:
    planetoid, cpf, ranked = (
        {"cora", "citeseer", "pubmed"},
        {"cpf_cora", "cpf_citeseer"},
        {"minesweeper", "tolokers"},
    )
    own, sizes = (
        {"digits", "custom", "chameleon", "blogcatalog", "ogbn-proteins"},
        ("arxiv", "products", "papers100M"),
    )
    own |= {f"{kind}-{size}" for kind in ("ogbn", "synthetic") for size in sizes}
    assert set(catalogue(datasets)) == {"photo", "computers", "cs", "physics"} | planetoid | cpf | ranked | own
    assert set(catalogue(teachers)) == {
        *("appnp", "gat", "gcn", "gcnii", "graph_transformer", "pyg", "sage", "sgc", "vqgraph")
    }
    assert set(catalogue(students)) == {"mlp", "ensemble", "progressive"}
    assert set(catalogue(methods)) >= {"mlp", "glnn", "infgrand"}
    drawn, soft = {"random", "in_order"}, {"attention", "emd", "semckd", "nearest"}
    assert set(catalogue(matching)) == {"none", "forward", "reverse", "all_to_one", "skip", "last"} | drawn | soft
    of_graphs = {"degree", "pagerank", "kcore", "betweenness", "random_walk", "infgrand", "infgrand_per_class"}
    of_teachers, plain = {"confidence", "reliability"}, {"uniform", "random_uniform", "shuffled"}
    assert set(catalogue(influence)) == of_graphs | of_teachers | plain


@pytest.mark.parametrize("package", [datasets, teachers, methods, matching, influence])
def test_every_part_says_whose_it_is(package) -> None:
    assert all(source_of(part) for part in catalogue(package).values())


def test_lookup() -> None:
    assert lookup(methods, "glnn") is methods.GLNN
    with pytest.raises(GraphKDError, match="unknown method 'gln': did you mean 'glnn'\\? choose one of"):
        lookup(methods, "gln")
    with pytest.raises(GraphKDError, match="unknown influence 'x': choose one of betweenness, confidence, degree"):
        lookup(influence, "x")


def test_settings_of_classes_partials_instances_and_functions() -> None:
    assert settings_of(methods.GLNN) == {"lam": 0.0, "tau": 1.0}
    assert settings_of(methods.GLNN(tau=2.0)) == {"lam": 0.0, "tau": 2.0}
    assert settings_of(functools.partial(teachers.GCN, num_layers=3))["num_layers"] == 3
    assert "num_classes" not in parameters_of(teachers.GCN)
    assert settings_of(influence.infgrand) == {
        "hops": 2,
        "variant": "paper",
        "self_loops": None,
        "columns": None,
        "max_seconds": None,
        "max_memory_gb": 1.0,
    }
    assert name_of(functools.partial(influence.infgrand, hops=1)) == "infgrand"
    assert name_of(matching.AllToOne()) == "all_to_one"
