"""The library's public functions: ``load_dataset`` and ``distill``."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from graphkd import datasets
from graphkd.atomic_io import as_path
from graphkd.balance import Balance
from graphkd.calibration import Calibration
from graphkd.callbacks import Callback
from graphkd.callbacks.session import checked_callbacks
from graphkd.cluster import Ray
from graphkd.columns.arguments import check_choices
from graphkd.datasets import Graph, Preprocessing
from graphkd.datasets.custom.build import check_directed
from graphkd.datasets.custom.columns import encode_columns
from graphkd.datasets.custom.labels import check_task
from graphkd.datasets.fingerprint import fingerprints
from graphkd.datasets.imbalance import check_classes, check_imbalance, imbalanced_mask
from graphkd.datasets.label_rate import check_label_rate, scarce_mask
from graphkd.datasets.loading import load, locate
from graphkd.datasets.ogb.facts import UNSUPPORTED
from graphkd.datasets.scale import check_scale
from graphkd.datasets.setting import apply_setting
from graphkd.datasets.splits import strata
from graphkd.datasets.validate import MASKS
from graphkd.distributed import world
from graphkd.encoders import Encoder
from graphkd.environment import own_environment
from graphkd.errors import GraphKDError
from graphkd.matching import Matching
from graphkd.methods import Method
from graphkd.outofcore import TableOptions
from graphkd.registry import lookup
from graphkd.runs import Run, SeedRun, advice, check_disk, check_memory, class_warnings
from graphkd.spec import Factory, resolve
from graphkd.tasks.choice import LINK
from graphkd.teachers import TeacherOutput
from graphkd.terms import Term
from graphkd.training.seeds import parse_seed
from graphkd.training.settings import Training
from graphkd.training.stages.stage_cache import StageCache
from graphkd.transforms import Transform

if TYPE_CHECKING:
    from torch_geometric.data import Data


@own_environment()
def load_dataset(
    name: str,
    data_dir: str | os.PathLike[str] = "data",
    *,
    split: str | None = None,
    seed: int = 0,
    features: str = "stored",
    row_normalize: bool | None = None,
    directed: bool = False,
    cache_dir: str | os.PathLike[str] | None = None,
    download: str = "ask",
    path: str | os.PathLike[str] | None = None,
    label_rate: float = 1.0,
    imbalance: float = 1.0,
    long_tail: float = 1.0,
    scale: float = 1.0,
    dense: bool = False,
    columns: str | Mapping[str, str] = "auto",
    numeric: str = "standard",
    task: str | None = None,
) -> Data:
    """Loads a built-in data set, or one from a user's folder, with its masks.

    Args:
        name: see ``graphkd list datasets``.
        data_dir: folder that holds raw files in PyG's and OGB's layouts; only read.
        split: ``public`` or ``ogb`` (stored with the data), ``random`` (20 nodes per class, 500, 1,000), ``cpf``
            (largest connected component; 20 and 30 nodes per class, the rest), ``fractions`` (60, 20 and 20 %
            of every class, or of all nodes with a label where there are no classes) or ``masks`` (your own), where
            the data set has it; by default its first.
        seed: of a drawn split; of ten stored ones (minesweeper, tolokers) number ``seed mod 10`` is used.
        features: ``stored``, or ``binary`` to train on 0/1.
        row_normalize: train on rows divided by their sum; by default as in the data set's protocol.
        directed: keep the edges' directions.
        cache_dir: folder for downloads and for what was parsed from OGB's files; by default ``$GRAPHKD_CACHE`` or
            the user's cache folder.
        download: ``ask``, ``yes`` or ``never``.
        path: for ``custom``, the folder; its layout: see ``graphkd.datasets.custom.folder.read_folder``.
        label_rate: share of every class's training nodes (of all, where there are no classes) that stay in
            training, at least one, drawn with the seed; the others stay in the graph, unlabelled. Smaller shares
            are subsets of larger ones; validation and test nodes are unchanged.
        imbalance: share of the training nodes that stay in training, of each of the last half of the classes; like
            ``long_tail`` for classes alone.
        long_tail: ratio of the largest class of training nodes to the smallest, with a geometric profile between;
            see ``graphkd.datasets.imbalance``. Both likewise leave validation and test nodes unchanged.
        scale: share of its nodes that a ``synthetic-…`` data set is drawn with; edges per node are unchanged.
        columns: of a table in the folder of ``custom``, see ``graphkd.from_frames``: ``auto``, ``none``, or column
            → ``number``, ``category``, ``boolean``, ``date`` or ``drop``. Fitted to the seed's training nodes.
        numeric: how its numbers are scaled: ``standard``, ``robust`` or ``none``.
        task: ``multiclass``, ``binary``, ``multilabel`` or ``regression``; by default what labels can only be of.
            ``link`` for ``graphkd.links``: labels and masks are not read, and need not be there; the split ``cpf``
            is the largest component then, and any other all nodes.
        dense: return ``x`` as a dense tensor, whose rows can be sliced, also where features are bags of words.

    Returns:
        ``Data`` with stored features ``x [N, D]`` (bag-of-words as sparse CSR, unless ``dense``),
        ``edge_index [2, E]``, ``y [N]``, three masks ``[N]`` and the ``metric``. The arguments are recorded in
        ``data.graphkd``; ``features`` and ``row_normalize`` are applied by ``distill``, and by its bundle to
        raw rows.

    Raises:
        GraphKDError: an unknown name or split, unavailable files, or a share outside its range.

    >>> data = load_dataset("digits")  # embedded: nothing is read or downloaded
    >>> data.num_nodes, int(data.train_mask.sum())
    (1797, 200)
    """
    if name in UNSUPPORTED:
        raise GraphKDError(UNSUPPORTED[name])
    source = lookup(datasets, name)
    if path is not None and name != "custom":
        raise GraphKDError(f"dataset.path is for dataset=custom, not for {name}: leave it out, or choose custom")
    check_scale(scale, source)
    check_choices(columns, numeric)
    if name != "custom" and (columns != "auto" or numeric != "standard"):
        raise GraphKDError(f"dataset.columns and numeric are for dataset=custom, not for {name}: leave them out")
    check_task(task, LINK)
    location = locate(data_dir, cache_dir, download, path, scale, columns, task)
    seed = parse_seed(seed)
    check_directed(directed)
    if not isinstance(dense, bool):
        raise GraphKDError(f"dataset.dense is {dense!r}: choose true or false")
    check_label_rate(label_rate)
    check_imbalance(imbalance, long_tail)
    steps = Preprocessing(features, source.row_normalize if row_normalize is None else row_normalize)
    data, split = load(source, location, split, seed, directed, task)
    profiles = {"imbalance": float(imbalance), "long_tail": float(long_tail)}
    profile: dict[str, Any] = {key: value for key, value in profiles.items() if value != 1}
    if task == LINK:
        _take_labels(data, label_rate, *profile)
    else:
        _thin_labels(data, label_rate, profile, seed)
    if name == "custom":  # not before: a part of the training nodes may have been taken out
        encode_columns(data, columns, numeric)
    if task == LINK:
        del data.train_mask
    arguments = {"name": name, "split": split, "seed": seed, "directed": directed, "label_rate": float(label_rate)}
    folders = {"data_dir": str(data_dir), "cache_dir": None if cache_dir is None else str(cache_dir)}
    extra = profile if path is None else {**profile, "path": str(path)}
    extra |= {"scale": float(scale)} if source.scaled else {}
    extra |= {} if task is None else {"task": task}
    extra |= {"columns": _plain_columns(columns), "numeric": numeric} if name == "custom" else {}
    if dense:  # recorded, since sums over dense rows round differently: a run's data is reloaded in the same form
        data.x, extra["dense"] = data.x.to_dense(), True
    data.graphkd = {**arguments, **asdict(steps), **folders, **extra, **fingerprints(data)}
    return data


def _thin_labels(data: Data, label_rate: float, profile: dict[str, float], seed: int) -> None:
    """Takes nodes out of the training mask: a share of every class, or a profile over classes."""
    if label_rate < 1:
        data.train_mask = scarce_mask(data.train_mask, strata(data), label_rate, seed)
    if profile:
        check_classes(data, *profile)
        shares = (profile.get("imbalance", 1.0), profile.get("long_tail", 1.0))
        data.train_mask = imbalanced_mask(data.train_mask, data.y, *shares, seed)


def _take_labels(data: Data, label_rate: float, *profile: str) -> None:
    """Takes labels and masks out of a graph for links, whose columns are scaled by all nodes."""
    if label_rate != 1 or profile:
        raise GraphKDError("dataset.label_rate, imbalance, long_tail are of labels, not of links: leave them out")
    for name in (*MASKS, "y", "class_names"):
        if name in data:
            del data[name]
    data.train_mask = torch.ones(data.x.shape[0], dtype=torch.bool)


def _plain_columns(columns: str | Mapping[str, str]) -> str | dict[str, str]:
    return {str(name): kind for name, kind in columns.items()} if isinstance(columns, Mapping) else columns


@own_environment()
def distill(
    data: Data,
    *,
    teacher: str | Factory | nn.Module | TeacherOutput | Tensor | NDArray[Any] = "gcn",
    student: str | Factory = "mlp",
    method: str | Method = "glnn",
    matching: str | Matching = "none",
    influence: str | Callable[..., Tensor] | None = None,
    setting: str = "transductive",
    transform: str | Transform = "none",
    calibration: str | Calibration = "none",
    term: str | Term = "none",
    encoder: str | Encoder = "auto",
    balance: str | Balance = "none",
    training: Training | None = None,
    preprocessing: Preprocessing | None = None,
    seed: int = 0,
    device: str = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    memory_budget: float | None = None,
    table_dtype: str = "float32",
    cluster: Ray | None = None,
    baseline: bool = True,
    callbacks: Iterable[Callback] = (),
    calibrate: bool = False,
) -> Run:
    """Trains a teacher on a graph and distils it into an MLP.

    Warns, with a suggestion, if a plainly trained MLP scores higher on validation nodes than the teacher or the
    student, and if the student predicts a class of the test nodes for none of them.

    Args:
        data: PyG ``Data`` with ``x``, ``edge_index``, ``y`` and three masks.
        teacher: name; a factory such as ``functools.partial(graphkd.teachers.GCN, num_layers=3)``; or a fitted
            one: a module called with ``(x, edge_index)`` as PyG's are (which returns logits ``[N, C]`` or a
            ``TeacherOutput``), a ``TeacherOutput``, or logits ``[N, C]`` alone; numbers to predict in the data's
            units.
        student: name or factory.
        method: name or object, such as ``graphkd.methods.InfGraND(lam=0.1)``.
        matching: name or object, such as ``graphkd.matching.Reverse(weight=3.0)``.
        influence: name, ``none``, or a function ``(x, adj) → [N]``, which may request further inputs by parameter
            name (``graphkd.influence.inputs``); by default the method's own.
        transform: name or object: of the teacher, such as ``graphkd.transforms.PropagateTeacher(hops=5)``.
        calibration: name or object: of logits, such as ``graphkd.calibration.FixedTemperature()``.
        balance: name or object: of classes, such as ``graphkd.balance.LogitAdjustment(post_hoc=True)``.
        term: name or object: of a loss, such as ``graphkd.terms.EntropyMinimization(weight=0.1)``.
        encoder: name or object: what the student is given, such as ``graphkd.encoders.Propagated(hops=3)``; by
            default the method's own.
        setting: ``transductive``, ``production``, ``inductive`` or ``cold_start``.
        training: epochs, patience, learning rates and further settings.
        preprocessing: of the features, such as ``graphkd.datasets.Preprocessing(row_normalize=True)``; by
            default what ``load_dataset`` recorded, for other data none.
        seed: of both initialisations, dropout, drawn matchings and hidden nodes.
        device: ``auto``, ``cpu`` or ``cuda``.
        cache_dir: folder in which finished stages are stored and looked up; by default none.
        memory_budget: gigabytes (10^9 bytes) that building a table may take beyond the graph and its features; the
            output of a teacher evaluated in batches, and all compiled targets, are then files in ``cache_dir``. By
            default everything is in memory.
        table_dtype: ``float32``, ``bfloat16`` or ``float16``: of the student's inputs in those files;
            ``graphkd.outofcore.TableStore`` documents the error.
        cluster: that computes propagated features, such as ``graphkd.cluster.Ray(workers=4)``; needs a
            ``memory_budget``, and a ``cache_dir`` that its machines share.
        baseline: also train the same MLP on the labels alone, on raw rows and, where the student reads
            neighbours, on the student's inputs: ``mlp`` and ``mlp_same_inputs`` in ``metrics``.
        callbacks: such as ``[graphkd.callbacks.TensorBoard()]``, or of your own.
        calibrate: divide the trained student's logits by one temperature, fitted to validation nodes; classes stay
            as they are, and probabilities are nearer to frequencies, in every runtime and export.

    Returns:
        The run: ``metrics``, ``teacher``, ``student``, ``save(path)``.

    Raises:
        GraphKDError: invalid data, names or settings, or too little memory or disk.

    >>> run = distill(load_dataset("digits"), method="glnn", training=Training(max_epochs=20), baseline=False)
    >>> sorted(run.metrics["mean"])
    ['student_test', 'teacher_test']
    """
    add_ons = (transform, calibration, term, encoder, balance, calibrate)
    spec = resolve(teacher, student, method, matching, influence, training, setting, *add_ons)
    if spec.training.together:
        raise GraphKDError(
            "training.together is for students of several seeds or jobs, and graphkd.distill trains one: leave it "
            "out, or run the command graphkd distill seeds=N training.together=true"
        )
    seed = parse_seed(seed)
    tables = TableOptions(memory_budget, table_dtype, cluster)
    cache = StageCache(None if cache_dir is None else as_path(cache_dir, "cache_dir"), tables)
    graph = Graph.from_data(data, preprocessing).to(pick_device(device))
    view = apply_setting(graph, spec.setting, seed)
    check_memory(view, spec, tables)
    check_disk(view, spec, seeds=1, baseline=baseline, run=None, cache=cache.folder, tables=tables)
    spec.check(graph)
    called = checked_callbacks(callbacks)
    for callback in called:
        callback.on_run_start(graph.dataset, None, spec.config())
    run = Run(SeedRun.train(graph, spec, seed, baseline, cache, callbacks=called))
    for callback in called:
        callback.on_run_end(run.metrics)
    for line in (*advice(run.metrics), *class_warnings(run.metrics)):
        warnings.warn(line, stacklevel=3)
    return run


def pick_device(device: str) -> torch.device:
    """Returns the torch device; ``auto`` is CUDA where available, and each of several processes gets its own.

    Raises:
        GraphKDError: the device is unknown or not available.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if world().started > 1 and str(device).startswith("cuda"):
        return _own_device(str(device))
    if not re.fullmatch(r"cpu|cuda(:\d+)?", str(device)):
        raise GraphKDError(f"device is '{device}': choose auto, cpu or cuda")
    torch_device = torch.device(device)
    if torch_device.type == "cuda" and (torch_device.index or 0) >= torch.cuda.device_count():
        raise GraphKDError(f"device={device}, but torch finds no such CUDA device here: use device=cpu")
    if torch_device.index is not None and torch_device.type == "cuda":
        torch.cuda.set_device(torch_device)  # graphkd's kernels and captured CUDA graphs run on the current device
    return torch_device


def _own_device(device: str) -> torch.device:
    count, ranks = torch.cuda.device_count(), world().local_world_size
    if device != "cuda":
        raise GraphKDError(f"device={device}, but several processes need one each: use device=cuda or device=cpu")
    if ranks > count:
        raise GraphKDError(
            f"{ranks} processes need a CUDA device each, and torch finds {count}: start fewer, or use device=cpu"
        )
    torch.cuda.set_device(world().local_rank)
    return torch.device("cuda", world().local_rank)
