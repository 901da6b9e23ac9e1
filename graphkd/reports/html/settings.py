"""In what runs differ, and how each was made."""

from __future__ import annotations

from omegaconf import OmegaConf

from graphkd.reports.finished import FinishedRun
from graphkd.reports.groups import Group
from graphkd.reports.html.tags import Html, joined, table, tag


def differences(group: Group) -> Html:
    """Formats the settings and the versions of packages that differ between the runs of a group."""
    settings = [row.settings for row in group.rows]
    parts = [_compared("Settings that differ", settings, group.differing)]
    versions = [row.run.metrics.get("versions", {}) for row in group.rows]
    names = sorted(set().union(*versions))
    different = [name for name in names if len({found.get(name) for found in versions}) > 1]
    parts.append(_compared("Versions that differ", versions, different))
    return joined(parts)


def _compared(title: str, values: list[dict[str, str]], keys: list[str]) -> Html:
    """Formats a row per run and a column per key; empty without keys."""
    if not keys:
        return Html("")
    rows = [[str(number), *(str(found.get(key, "")) for key in keys)] for number, found in enumerate(values, 1)]
    return joined([tag("h3", title), table(["row", *keys], rows, [True, *(len(keys) * [False])])])


def made_by(run: FinishedRun) -> Html:
    """Formats folder, seconds, versions and all settings of a run."""
    metrics = run.metrics
    versions = ", ".join(f"{name} {of}" for name, of in metrics.get("versions", {}).items())
    facts = {"folder": str(run.path), "seeds": ", ".join(str(seed["seed"]) for seed in metrics["seeds"])}
    facts |= {"seconds of training": _seconds(run), "versions": versions}
    items = [
        tag(part, text) for name, value in facts.items() if value for part, text in (("dt", name), ("dd", value))
    ]
    config = tag("pre", OmegaConf.to_yaml(OmegaConf.create(run.config)))
    settings = tag("details", tag("summary", "All settings (config.yaml)"), config)
    return joined([tag("h4", "How it was made"), tag("dl", *items), settings])


def _seconds(run: FinishedRun) -> str:
    """Formats the seconds of all seeds by stage; empty where they are not recorded."""
    seeds = [seed.get("seconds", {}) for seed in run.metrics["seeds"]]
    return ", ".join(f"{stage} {sum(seed.get(stage, 0.0) for seed in seeds):.1f}" for stage in seeds[0])
