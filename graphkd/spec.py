"""What a run is made of, as objects: the same for the command line and for the library."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from graphkd import balance as balances
from graphkd import calibration as calibrations
from graphkd import encoders, methods, students, teachers, transforms
from graphkd import influence as influences
from graphkd import matching as matchings
from graphkd import terms as added_terms
from graphkd.balance import Balance, NoBalance
from graphkd.balance.compatibility import check_balance
from graphkd.calibration import Calibration, NoCalibration
from graphkd.checks import plain
from graphkd.datasets import SETTINGS, Graph
from graphkd.encoders import Auto, Encoder, Raw
from graphkd.errors import GraphKDError
from graphkd.influence.inputs import inputs_of, reads_teacher
from graphkd.matching import Matching, MatchingTerm, NoMatching
from graphkd.methods import MLP, Method, Targets
from graphkd.plugins import is_installed, sources_of
from graphkd.registry import lookup, parameters_of, unknown
from graphkd.sparse import Adjacency
from graphkd.teachers import TeacherOutput
from graphkd.terms import NoTerm, Term
from graphkd.training.compatibility import check_training
from graphkd.training.settings import Training
from graphkd.training.task_compatibility import check_task
from graphkd.transforms import NoTransform, Transform

Factory = Callable[..., nn.Module]
"""Called with ``num_features`` and ``num_classes``; a class, or a ``functools.partial`` of one."""


PARTS = (
    *("teacher", "student", "encoder", "method"),
    *("matching", "transform", "calibration", "balance", "term", "influence"),
)
"""Keys of a run's configuration that hold a part."""


@dataclass(frozen=True)
class DistillSpec:
    """The parts of a run.

    Args:
        teacher: factory of the graph network, or a teacher that is given: a fitted network, or its output.
        student: factory of the MLP.
        method: what the student learns.
        encoder: what the student is given; by default the method's own.
        matching: which layers it is matched to.
        transform: of the teacher, before it is distilled.
        calibration: of logits, on both sides of the losses.
        balance: of classes, in a loss or in the answer.
        term: added to the method's loss.
        influence: ``(x, adj) → [N]`` node weights, or nothing; see ``graphkd.influence.inputs`` for more inputs.
        training: how both are optimised.
        setting: what of the graph training may see.
        calibrate: whether the trained student's logits are divided by a temperature fitted to validation nodes.
    """

    teacher: Factory | nn.Module | TeacherOutput
    student: Factory
    method: Method
    encoder: Encoder = field(default_factory=Auto)
    matching: Matching = field(default_factory=NoMatching)
    transform: Transform = field(default_factory=NoTransform)
    calibration: Calibration = field(default_factory=NoCalibration)
    balance: Balance = field(default_factory=NoBalance)
    term: Term = field(default_factory=NoTerm)
    influence: Callable[..., Tensor] | None = None
    training: Training = field(default_factory=Training)
    setting: str = "transductive"
    calibrate: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.calibrate, bool):
            raise GraphKDError(f"deploy.calibrate is {self.calibrate}: choose true or false")
        if isinstance(self.student, nn.Module) or not callable(self.student):
            raise GraphKDError("student must be a name or a factory called with num_features and num_classes")
        if not callable(self.teacher) and not isinstance(self.teacher, TeacherOutput):
            raise GraphKDError(
                "teacher must be a name, a factory called with num_features and num_classes, a fitted network, "
                "a TeacherOutput or logits"
            )
        if lookup(students, name_of(self.student)) is not unwrapped(self.student):
            raise GraphKDError("student must be one of graphkd.students, which a bundle can be loaded into")
        if not isinstance(self.setting, str) or self.setting not in SETTINGS:
            raise GraphKDError(unknown("setting", self.setting, list(SETTINGS)))
        if self.influence is not None and not callable(self.influence):
            raise GraphKDError("influence must be a name, none, or a function (x, adj) that gives weights [N]")
        self._check_teacher()
        self._check_add_ons()
        if self.influence is not None and self.method.influence == "none":
            raise GraphKDError(
                f"method={self.method.name} weights no nodes, so influence={name_of(self.influence)} "
                "would have no effect: leave influence out"
            )
        if isinstance(self.teacher, TeacherOutput) and "perturbed" in inputs_of(self.influence):
            raise GraphKDError(
                f"influence={name_of(self.influence)} reads the teacher again, with noise on the features, which "
                "given logits cannot answer: give the network itself, or choose another influence"
            )

    def _check_teacher(self) -> None:
        """Refuses a teacher whose output the method cannot read; a given output is checked when it is read."""
        needed, given = self.method.needs_teacher, name_of(self.teacher)
        if needed and not isinstance(self.teacher, TeacherOutput) and given != needed:
            raise GraphKDError(
                f"method={self.method.name} reads what only teacher={needed} computes, not teacher={given}: use "
                f"teacher={needed}"
            )

    def _check_add_ons(self) -> None:
        """Refuses an add-on that would change nothing."""
        if self.term.name != "none" and self.term.weight == 0:
            raise GraphKDError(
                f"term={self.term.name} with term.weight=0 would have no effect: set term.weight above 0, or "
                "leave term out"
            )
        self.calibration.check_method(self.method)
        given = isinstance(self.teacher, nn.Module | TeacherOutput)
        check_balance(self.balance, self.method, unwrapped(self.student), self.training, given)
        check_training(self.training, self.method, given)
        if self.method.has_teacher:
            self._check_transform()
            return
        for group in ("transform", "calibration"):
            if (name := getattr(self, group).name) != "none":
                raise GraphKDError(
                    f"method={self.method.name} reads no teacher, so {group}={name} would have no effect: leave "
                    f"{group} out"
                )

    def _check_transform(self) -> None:
        """Refuses a transform that reads further teachers, where the run's own is given."""
        given = isinstance(self.teacher, nn.Module | TeacherOutput)
        if self.transform.others(name_of(self.teacher), 0) and given:
            raise GraphKDError(
                f"transform={self.transform.name} trains further teachers like the run's own, and that is given: "
                "give a name or a factory, or choose another transform"
            )

    @property
    def inputs(self) -> Encoder:
        """The encoder of the student's inputs: as chosen, else the method's own."""
        return self.method.encoder() if isinstance(self.encoder, Auto) else self.encoder

    def with_method(self, method: Method, encoder: Encoder | None = None) -> DistillSpec:
        """Returns the same spec for another method, without terms, and what reads the teacher or weights nodes.

        Args:
            method: the other one.
            encoder: of its inputs, by default its own.
        """
        return replace(
            self,
            method=method,
            encoder=encoder or Auto(),
            matching=NoMatching(),
            term=NoTerm(),
            transform=NoTransform(),
            calibration=self.calibration if method.has_teacher else NoCalibration(),
            balance=self.balance if method.has_teacher or not self.balance.reads_teacher else NoBalance(),
            influence=None,
        )

    @property
    def baselines(self) -> dict[str, DistillSpec]:
        """The plain MLPs that belong beside this student, of its shape and training, by their names in a table.

        ``mlp`` reads raw rows. ``mlp_same_inputs`` reads what the student reads, where that is something else. A
        plain MLP has none of its own kind beside it.
        """
        plain, reads_raw = isinstance(self.method, MLP), self.inputs.reads == "x"
        beside: dict[str, Encoder] = {} if plain and reads_raw else {"mlp": Raw()}
        beside |= {} if plain or reads_raw else {"mlp_same_inputs": self.inputs}
        return {name: self.with_method(MLP(), encoder) for name, encoder in beside.items()}

    @property
    def uses_teacher(self) -> bool:
        """Whether the student learns anything from the teacher."""
        return self.method.has_teacher or self.reads_hops or reads_teacher(self.influence)

    @property
    def reads_hops(self) -> bool:
        """Whether a term reads the teacher's hidden hops."""
        return any("hops" in term.reads for term in self.terms())

    @property
    def leaks(self) -> bool:
        """Whether the influence is taken from nodes that the setting hides."""
        hides = SETTINGS[self.setting].hides
        return hides and self.influence is not None and self.method.influence_of_full_graph

    @property
    def given_teacher_may_leak(self) -> bool:
        """Whether the setting hides nodes from training that a given teacher may have been fitted on."""
        return SETTINGS[self.setting].hides and isinstance(self.teacher, nn.Module)

    @property
    def reproducible(self) -> bool:
        """Whether every part is graphkd's own or an installed package's, whose settings and code determine it.

        A given network is known by its output, which says nothing of its answers to noise.
        """
        if isinstance(self.teacher, nn.Module) and "perturbed" in inputs_of(self.influence):
            return False
        return all(_is_known(part) for part in self._parts)

    @property
    def installed(self) -> list[Path]:
        """Source files of the parts that come from other installed packages."""
        parts = [_made(part) for part in self._parts]
        return sorted({file for part in parts if is_installed(part) for file in sources_of(part)})

    @property
    def _parts(self) -> list[Any]:
        """The parts that there are."""
        return [part for part in (getattr(self, key) for key in PARTS) if part is not None]

    @property
    def moves_targets(self) -> bool:
        """Whether the method or the calibration changes targets between epochs."""
        return self.method.moves_targets or self.calibration.moves_targets

    def seen_features(self, num_features: int) -> int:
        """Returns the width of the teacher's rows: features, or positions for a graph without features.

        Raises:
            GraphKDError: there are no features, and no positions in their place.
        """
        if num_features:
            return num_features
        if self.inputs.propagation is not None:
            raise GraphKDError(
                "data.x is missing: give features, or choose encoder=positions encoder.features=none, by which "
                "teacher and student read positions of nodes instead"
            )
        return self.inputs.extra()

    def check(self, graph: Graph) -> None:
        """Checks that the parts fit a graph, before anything is trained; see ``dry_run``.

        Raises:
            GraphKDError: a part makes no sense for its task, or a network cannot be built for its sizes.
        """
        check_task(self, graph.task)
        self.dry_run(graph.num_features, graph.num_classes)

    def dry_run(self, num_features: int, num_classes: int) -> None:
        """Builds every network once on a graph of one node, so that what does not fit fails early.

        Raises:
            GraphKDError: settings that no network can have, or layers that cannot be matched.
        """
        seen = self.seen_features(num_features)
        sizes = {"num_features": seen, "num_classes": num_classes}
        row, edges = torch.zeros(1, seen), torch.zeros(2, 0, dtype=torch.long)
        with torch.random.fork_rng([]), torch.no_grad():
            wide = self.inputs.width(num_features, num_classes)
            hidden = _tried("student", self.student, {**sizes, "num_features": wide}, torch.zeros(1, wide)).hidden
            if isinstance(self.teacher, nn.Module | TeacherOutput):
                return
            output = _tried("teacher", self.teacher, sizes, row, Adjacency(edges, 1))
            if not isinstance(output, TeacherOutput) or output.logits.shape != (1, num_classes):
                raise GraphKDError(
                    f"teacher={name_of(self.teacher)} must return a TeacherOutput with logits [N, {num_classes}]: "
                    "take one of graphkd.teachers as a pattern, or give a fitted network"
                )
            self.transform.check(output)
            targets = Targets(row, torch.zeros(1, dtype=torch.long), torch.zeros(1), hops=output.hops[:-1])
            for term in self.terms():
                if "targets" not in term.reads:
                    term.build([layer.shape[1] for layer in hidden], targets)

    def terms(self, seed: int = 0) -> list[Term]:
        """Returns the terms that are added to the method's loss: new ones for a student, which are not built yet.

        Args:
            seed: of the run, which is added to that of a matching.
        """
        terms: list[Term] = [] if self.term.name == "none" else [copy.deepcopy(self.term)]
        if self.matching.name == "none":
            return terms
        return [MatchingTerm(self.matching.with_seed((self.matching.seed + seed) % 2**32)), *terms]

    @property
    def names(self) -> dict[str, str]:
        """The name of each part, as ``metrics.json`` states them."""
        return {
            "setting": self.setting,
            "teacher": name_of(self.teacher) if self.uses_teacher else "none",
            "student": name_of(self.student),
            "method": name_of(self.method),
            "variant": getattr(self.method, "variant", "none"),
            "matching": name_of(self.matching),
            "influence": "none" if self.influence is None else name_of(self.influence),
            **{key: name for key, name in self.add_ons.items() if name != "none"},
        }

    @property
    def add_ons(self) -> dict[str, str]:
        """Names of the encoder, if it is not the method's own, and of all that is added to the method."""
        encoder = "none" if self.inputs == self.method.encoder() else self.inputs.name
        return {
            "encoder": encoder,
            **{key: getattr(self, key).name for key in ("transform", "calibration", "balance", "term")},
        }

    def config(self) -> dict[str, Any]:
        """The parts with all their settings, in the form of a run's ``config.yaml``."""
        parts = {key: getattr(self, key) for key in PARTS}
        return {
            "setting": {"name": self.setting},
            **{key: None if part is None else part_config(part) for key, part in parts.items()},
            "training": {
                "_target_": "graphkd.training.Training",
                **{key: plain(value) for key, value in asdict(self.training).items()},
            },
            "deploy": {"calibrate": self.calibrate},
        }


def resolve(
    teacher: str | Factory | nn.Module | TeacherOutput | Tensor | NDArray[Any] = "gcn",
    student: str | Factory = "mlp",
    method: str | Method = "glnn",
    matching: str | Matching = "none",
    influence: str | Callable[..., Tensor] | None = None,
    training: Training | None = None,
    setting: str = "transductive",
    transform: str | Transform = "none",
    calibration: str | Calibration = "none",
    term: str | Term = "none",
    encoder: str | Encoder = "auto",
    balance: str | Balance = "none",
    calibrate: bool = False,
) -> DistillSpec:
    """Names or objects → a spec; a teacher may be its logits alone.

    ``influence=None`` takes the one the method is published with, in the method's own variant.

    Raises:
        GraphKDError: an unknown name, or parts that do not fit together.
    """
    chosen: Method = _object(_part(methods, method), Method)
    if influence is None:
        influence = default_influence(chosen)
    elif isinstance(influence, str):
        influence = None if influence == "none" else lookup(influences, influence)
    return DistillSpec(
        teacher=_logits(teacher) if isinstance(teacher, Tensor | np.ndarray) else _part(teachers, teacher),
        student=_part(students, student),
        method=chosen,
        encoder=_object(_part(encoders, encoder), Encoder),
        matching=_object(_part(matchings, matching), Matching),
        transform=_object(_part(transforms, transform), Transform),
        calibration=_object(_part(calibrations, calibration), Calibration),
        balance=_object(_part(balances, balance), Balance),
        term=_object(_part(added_terms, term), Term),
        influence=influence,
        training=_object(training or Training(), Training),
        setting=setting,
        calibrate=calibrate,
    )


def _tried(part: str, factory: Factory, sizes: dict[str, int], *inputs: Any) -> Any:
    """Returns the output of a factory's network on these inputs, or raises one line about why there is none."""
    try:
        return factory(**sizes).eval()(*inputs)
    except GraphKDError:
        raise
    except Exception as error:  # a user's factory can fail in any way; torch has a RuntimeError for memory
        remedy = "choose smaller sizes" if isinstance(error, RuntimeError) else "correct its settings"
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise GraphKDError(f"the {part} cannot be built and called ({reason}): {remedy}") from error


def _logits(values: Tensor | NDArray[Any]) -> TeacherOutput:
    numeric = isinstance(values, Tensor) or values.dtype.kind == "f"
    if not numeric:
        raise GraphKDError("the given teacher's logits must be finite numbers: give an array of floats [N, C]")
    return TeacherOutput(torch.as_tensor(values))


def default_influence(method: Method) -> Callable[..., Tensor] | None:
    """The influence a method is published with; ``variant`` follows the method's."""
    if method.influence == "none":
        return None
    function = lookup(influences, method.influence)
    if hasattr(method, "variant") and "variant" in parameters_of(function):
        return functools.partial(function, variant=method.variant)
    return function  # type: ignore[no-any-return]


def name_of(part: Any) -> str:
    """The name of a part: of a class, an instance, a function, or a partial of these."""
    part = unwrapped(part)
    return str(getattr(part, "name", getattr(part, "__name__", type(part).__name__)))


def settings_of(part: Any) -> dict[str, Any]:
    """A part's settings: defaults, replaced by what a partial binds or an instance holds."""
    if isinstance(part, functools.partial):
        return {**settings_of(part.func), **{key: plain(value) for key, value in part.keywords.items()}}
    if inspect.isclass(part) or inspect.isfunction(part):
        return {name: parameter.default for name, parameter in parameters_of(part).items()}
    return {name: plain(getattr(part, name)) for name in parameters_of(type(part))}


def unwrapped(part: Any) -> Any:
    """What a partial binds arguments of; anything else as it is."""
    return part.func if isinstance(part, functools.partial) else part


def part_config(part: Any) -> dict[str, Any]:
    """Returns a part's class and settings, in the form of a run's ``config.yaml``."""
    made = _made(part)
    package = made.__module__.rpartition(".")[0] if made.__module__.startswith("graphkd.") else made.__module__
    own = isinstance(part, nn.Module) and not isinstance(part, Method | Matching | Calibration | Balance | Term)
    given = isinstance(part, TeacherOutput) or own
    settings = {"in_memory": True} if given else settings_of(part)
    return {"_target_": f"{package}.{made.__qualname__}", **settings}


def _made(part: Any) -> Any:
    """The class or function behind a part."""
    made = unwrapped(part)
    return made if inspect.isclass(made) or inspect.isfunction(made) else type(made)


def _is_known(part: Any) -> bool:
    """Whether a part's code can be hashed: graphkd's own, or that of an installed package."""
    made = _made(part)
    return made.__module__.startswith("graphkd.") or is_installed(made)


def _part(package: ModuleType, part: Any) -> Any:
    return lookup(package, part) if isinstance(part, str) else part


def _object(part: Any, kind: type) -> Any:
    try:
        part = part() if inspect.isclass(part) else part
    except TypeError as error:
        raise GraphKDError(f"{part.__name__} cannot be made without arguments ({error}): give an object") from None
    if not isinstance(part, kind) or not hasattr(part, "name"):
        raise GraphKDError(
            f"{part!r} is neither a name nor a {kind.__name__}: choose one of graphkd's, or make one"
        )
    return part
