"""``graphkd doctor``."""

from __future__ import annotations

from graphkd.doctor import examine


def doctor(data_dir: str, cache_dir: str | None) -> bool:
    """Prints a line for everything that a run depends on: ``ok``, ``missing``, ``broken`` or ``note`` first.

    Args:
        data_dir: folder of data sets.
        cache_dir: the cache folder, or None for the default one.

    Returns:
        Whether every required part works.
    """
    report = examine(data_dir, cache_dir)
    print("\n".join(map(str, report.lines)))
    return report.sound
