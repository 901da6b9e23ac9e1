"""Proposals of candidates by Optuna, which depend on nothing but the results so far."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from graphkd.errors import GraphKDError

if TYPE_CHECKING:
    from optuna.trial import Trial

STARTUP = 16
"""Candidates that are drawn at random before the model of the results proposes any."""


def check_optuna() -> None:
    """Checks, before anything is computed, that Optuna is installed."""
    try:
        import optuna  # noqa: F401
    except ImportError:
        raise GraphKDError("graphkd tune needs Optuna: pip install 'graphkd[tune]'") from None


class Sampler:
    """Optuna's tree-structured Parzen estimator over a conditional space, asked for rounds of candidates.

    A round is drawn by a generator of (seed, round): together with the results of earlier rounds it determines the
    proposals, whatever the number of processes, and after a restart.

    Source: Bergstra et al., Algorithms for Hyper-Parameter Optimization, NeurIPS 2011

    Args:
        suggest: draws the overrides of a trial.
        seed: of the search.
    """

    def __init__(self, suggest: Callable[[Trial], tuple[str, ...]], seed: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.suggest, self.seed = suggest, seed
        self.study = optuna.create_study(direction="maximize")
        self._asked: list[Trial] = []

    def ask(self, number: int, wanted: Sequence[dict[str, Any]]) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
        """Returns the overrides and the draws of a round.

        Args:
            number: of the round.
            wanted: one per candidate: draws that are given, the others are sampled.
        """
        import optuna

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some of the sampler's options are marked as experimental
            self.study.sampler = optuna.samplers.TPESampler(
                seed=(self.seed * 1_000_003 + number) % 2**32,
                multivariate=True,
                group=True,
                constant_liar=True,
                n_startup_trials=STARTUP,
                warn_independent_sampling=False,
            )
            found = []
            for draws in wanted:
                if draws:
                    self.study.enqueue_trial(draws)
                trial = self.study.ask()
                found.append((self.suggest(trial), dict(trial.params)))
                self._asked.append(trial)
        return found

    def tell(self, values: Sequence[float | None]) -> None:
        """Records the values of the round that was asked for; None for a candidate that failed."""
        import optuna

        for trial, value in zip(self._asked, values, strict=True):
            if value is None:
                self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
            else:
                self.study.tell(trial, value)
        self._asked = []

    def importances(self) -> dict[str, float]:
        """Returns the share of the variance of the values that each draw explains; empty where unknown."""
        import optuna

        if len({trial.value for trial in self.study.get_trials(states=(optuna.trial.TrialState.COMPLETE,))}) < 2:
            return {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            evaluator = optuna.importance.PedAnovaImportanceEvaluator()
            try:
                return dict(optuna.importance.get_param_importances(self.study, evaluator=evaluator))
            except (ValueError, RuntimeError):  # too few trials share a draw
                return {}
