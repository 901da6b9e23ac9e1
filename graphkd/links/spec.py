"""What a run of links is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from graphkd.links.decoders import DECODERS
from graphkd.links.methods import LinkMethod
from graphkd.links.settings import LinkTraining
from graphkd.links.split import SETTINGS
from graphkd.links.teacher import Factory, name_of_teacher
from graphkd.ranges import check_choice


@dataclass(frozen=True)
class LinkSpec:
    """The parts of a run of links.

    Args:
        teacher: name of a network or of a heuristic, or a factory.
        method: of the student.
        decoder: of both.
        training: of the student.
        teacher_training: of the teacher.
        setting: one of ``graphkd.links.split.SETTINGS``.

    Raises:
        GraphKDError: an unknown setting or decoder.

    >>> from graphkd.links.methods import GLNN
    >>> LinkSpec("aa", GLNN()).names["teacher"]
    'aa'
    """

    teacher: str | Factory
    method: LinkMethod
    decoder: str = "dot"
    training: LinkTraining = field(default_factory=LinkTraining)
    teacher_training: LinkTraining = field(default_factory=LinkTraining)
    setting: str = "transductive"

    def __post_init__(self) -> None:
        check_choice("links", SETTINGS, setting=self.setting)
        check_choice("links", tuple(DECODERS), decoder=self.decoder)

    @property
    def names(self) -> dict[str, str]:
        """The name of each part, as ``metrics.json`` states them."""
        return {
            "setting": self.setting,
            "teacher": name_of_teacher(self.teacher) if self.method.reads_teacher else "none",
            "student": "mlp",
            "method": self.method.name,
            "variant": "none",
            "matching": "none",
            "influence": "none",
            "decoder": self.decoder,
        }

    @property
    def protocol(self) -> dict[str, Any]:
        """What each model reads when it answers, as ``metrics.json`` states it."""
        teacher = {"teacher": "neighbours"} if self.method.reads_teacher else {}
        beside = {"mlp": "x"} if self.method.reads_teacher else {}
        return {"reads": {**teacher, "student": "x", **beside}}
