"""What is run: data sets, teachers, methods, and what the student's teacher is made of."""

from __future__ import annotations

from dataclasses import dataclass

from graphkd.config import composed, spec_from
from graphkd.spec import DistillSpec

DATASETS = {
    "cpf_cora": ["dataset=cpf_cora"],
    "cpf_citeseer": ["dataset=cpf_citeseer"],
    "pubmed": ["dataset=pubmed", "dataset.split=cpf"],
    "photo": ["dataset=photo", "dataset.split=cpf"],
    "computers": ["dataset=computers", "dataset.split=cpf"],
    "cs": ["dataset=cs", "dataset.split=cpf"],
    "digits": ["dataset=digits", "training.max_epochs=2"],
}
"""20 labels a class, drawn anew for every seed; digits is a short check."""
DEFAULT = tuple(name for name in DATASETS if name != "digits")
TEACHERS = {"gcn": ["teacher=gcn"], "sage": ["teacher=sage", "teacher.aggregator=gcn"]}
METHODS = ("glnn", "krd")
VIEWS = (1, 3, 5)
VARIANTS = {
    "none": [],
    **{f"views_{count}": ["transform=angular_views", f"transform.views={count}"] for count in VIEWS},
    **{f"ensemble_{count + 1}": ["transform=ensemble", f"transform.members={count + 1}"] for count in VIEWS},
}
"""``views_N`` is the teacher beside N views of it, ``ensemble_N`` as many networks: N teachers of other seeds."""
TITLES = {"none": "one teacher"}
TITLES |= {f"views_{count}": f"{count} view" + "s" * (count > 1) for count in VIEWS}
TITLES |= {f"ensemble_{count + 1}": f"{count + 1} teachers" for count in VIEWS}


@dataclass(frozen=True)
class Cell:
    """A data set and a kind of teacher."""

    dataset: str
    teacher: str

    @property
    def overrides(self) -> list[str]:
        """What names data and teacher on the command line."""
        return [*DATASETS[self.dataset], *TEACHERS[self.teacher]]

    def specs(self) -> dict[str, DistillSpec]:
        """Returns all students by method and variant, such as ``glnn views_3``; all else has its defaults."""
        return {
            f"{method} {variant}": spec_from(composed([*self.overrides, f"method={method}", *keys]))
            for method in METHODS
            for variant, keys in VARIANTS.items()
        }
