"""Groups of comparable runs, with their paired differences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from graphkd.evaluation import PairedDifference, paired_difference
from graphkd.reports.distinctions import differences, distinctions
from graphkd.reports.finished import FinishedRun


@dataclass(frozen=True)
class Row:
    """A run, compared with its teacher and with the first run of its group.

    Args:
        run: its metrics and config.
        distinction: distinguishes it from runs whose parts have the same names; else empty.
        settings: those in which runs of the group differ, see ``differences``.
        gain: student − teacher, paired by seed; None where there was no teacher.
        lead: student − student of the group's first run, over their common seeds; None for the first run itself,
            and without common seeds.
    """

    run: FinishedRun
    distinction: str
    settings: dict[str, str]
    gain: PairedDifference | None
    lead: PairedDifference | None

    @property
    def count(self) -> int:
        """Number of seeds."""
        return len(self.run.metrics["seeds"])

    @property
    def differs_in(self) -> str:
        """The settings as one string, or the distinction where there are none."""
        return ", ".join(f"{key}={value}" for key, value in self.settings.items()) or self.distinction

    @property
    def label(self) -> str:
        """Teacher, method, matching, add-ons, influence and distinction as one string."""
        names = self.run.names
        text = names["method"] if self.gain is None else f"{names['teacher']} → {names['method']}"
        text += f" + {names['matching']}" if names["matching"] != "none" else ""
        text += "".join(
            f" + {names[key]}" for key in ("transform", "calibration", "balance", "term") if names[key]
        )
        text += f", influence {names['influence']}" if names["influence"] else ""
        return f"{text}, {self.distinction}" if self.distinction else text


@dataclass(frozen=True)
class Group:
    """Runs on the same data, split and setting, with the same metric.

    Args:
        title: names them.
        rows: one per run; the first is the reference.
    """

    title: str
    rows: list[Row]

    @property
    def differing(self) -> list[str]:
        """Keys of the settings in which the runs differ."""
        return sorted({key for row in self.rows for key in row.settings})


def grouped(runs: Sequence[FinishedRun]) -> list[Group]:
    """Groups runs by data, split, setting and metric; groups are ordered by their first run, runs as passed.

    Pairs are runs of the same seed, which determines the split (where one is drawn), both initialisations and
    dropout. Where two runs have different teachers, their difference is that of teacher and student together.
    """
    keys = list(dict.fromkeys(run.facts for run in runs))
    return [
        Group(title, _rows([run for run in runs if run.facts == key]))
        for key, title in zip(keys, _titles(keys), strict=True)
    ]


def _rows(runs: list[FinishedRun]) -> list[Row]:
    return [
        Row(run, distinction, settings, _gain(run), _lead(run, runs[0]))
        for run, distinction, settings in zip(runs, distinctions(runs), differences(runs), strict=True)
    ]


def _gain(run: FinishedRun) -> PairedDifference | None:
    if run.scores("teacher") is None:
        return None
    student, teacher = ([seed[part]["test"] for seed in run.metrics["seeds"]] for part in ("student", "teacher"))
    return paired_difference(student, teacher)


def _lead(run: FinishedRun, reference: FinishedRun) -> PairedDifference | None:
    scores, reference_scores = run.by_seed, reference.by_seed
    common = [seed for seed in scores if seed in reference_scores]
    if run is reference or not common:
        return None
    return paired_difference([scores[seed] for seed in common], [reference_scores[seed] for seed in common])


def _titles(keys: list[tuple[str, str, str, str, str, str]]) -> list[str]:
    """Returns the titles of groups; a user's own graphs include their folder, and a checksum where ambiguous."""
    titles = []
    for dataset, split, setting, metric, path, _ in keys:
        folder = f" ({Path(path).name})" if path else ""
        titles.append(" · ".join((f"{dataset}{folder}", f"{split} split", setting, metric)))
    counts = Counter(titles)
    return [
        f"{title} · data {key[5][:8]}" if counts[title] > 1 else title
        for key, title in zip(keys, titles, strict=True)
    ]
