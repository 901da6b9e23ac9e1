"""The search: rounds of candidates, of which the better ones are trained on more seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from graphkd.errors import GraphKDError
from graphkd.evaluation.figures import factor_of, heading_of, score_text
from graphkd.tuning.budget import Budget
from graphkd.tuning.candidate import Candidate, Scores
from graphkd.tuning.records import Records
from graphkd.tuning.sampler import Sampler
from graphkd.tuning.scoring import STOPPED
from graphkd.tuning.space import DEFAULT_TEACHER, STARTING_TEACHERS, Space
from graphkd.tuning.workers import Task, Workers

RUNGS = ((0,), (1,), (2, 3))
"""Seeds of each rung; all candidates are trained on the first, a third of a rung's on the next."""
RUNG_SEEDS = tuple(seed for seeds in RUNGS for seed in seeds)
KEEP = 3
CONFIRM = (4, 5, 6, 7)
"""Seeds on which the finalists are compared once more, since the best of many on the rungs may have been lucky."""
SEARCH_SEEDS = len(RUNG_SEEDS) + len(CONFIRM)
FINALISTS = 4
POOL = 3
"""Teachers that students choose from."""
ROUND = 8
"""Candidates of a round, whatever the number of processes: the proposals do not depend on it."""


class Search:
    """Finds the best candidate by validation scores.

    First teachers are searched, then students of the best ones, with plain MLPs among them in every round.

    Args:
        space: to draw from.
        workers: that train.
        records: of what was found; those of a killed search are used again.
        budget: of time and candidates.
        val_nodes: number of validation nodes.
        final_seeds: number of seeds of the last runs.
        seed: of the proposals.
        tell: called with a line about progress.
    """

    def __init__(
        self,
        space: Space,
        workers: Workers,
        records: Records,
        budget: Budget,
        val_nodes: int,
        final_seeds: int = 1,
        seed: int = 0,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.space, self.workers, self.records, self.budget = space, workers, records, budget
        self.val_nodes, self.final_seeds, self.seed, self.tell = val_nodes, final_seeds, seed, tell
        self.scores, self.candidates = Scores(), dict[int, Candidate]()
        self.samplers: dict[str, Sampler] = {}
        self._trained_teachers: set[tuple[tuple[str, ...], int]] = set()
        self._teacher_seconds: dict[tuple[str, ...], float] = {}
        self._pool: list[tuple[str, ...]] = []
        for result in records.results:
            self.scores.add(result)

    def run(self) -> Candidate:
        """Searches until the budget is used up, and returns the best candidate."""
        teachers = self._teachers()
        self._students(teachers)
        return self._choose()

    @property
    def reference(self) -> int:
        """The number of the plain MLP with default settings, which is trained on every seed."""
        return self.records.rounds["student", 0][0].number

    @property
    def students(self) -> list[Candidate]:
        """All students that were proposed."""
        return [candidate for candidate in self.candidates.values() if candidate.stage == "student"]

    def gain(self, candidate: Candidate) -> float:
        """Returns the mean validation score over that of the plain MLP, over the candidate's seeds."""
        return self.scores.gain(candidate.number, self.reference, range(SEARCH_SEEDS))

    def _teachers(self) -> list[tuple[str, ...]]:
        """Searches teachers; returns the overrides of the best ones."""
        if not set(self.space.methods) - set(self.space.untaught):
            return [()]
        if "teachers" not in self.records.facts:
            self._rounds("teacher", self.space.teacher, self._wanted_teachers, self.budget.teachers)
            first = self.records.rounds["teacher", 0][0]
            found = [each for each in self.candidates.values() if each.stage == "teacher"]
            ranked = self._ranked(found, first.number)[:POOL]
            pool = [candidate.overrides for candidate in ranked] or [first.overrides]
            self.records.add_fact("teachers", [list(each) for each in pool])
        return [tuple(each) for each in self.records.facts["teachers"]]

    def _students(self, teachers: Sequence[tuple[str, ...]]) -> None:
        def suggest(trial: Any) -> tuple[str, ...]:
            return self.space.student(trial, teachers)

        self._pool = list(teachers)
        self._rounds("student", suggest, self._wanted_students, self.budget.students)

    def _rounds(
        self,
        stage: str,
        suggest: Callable[[Any], tuple[str, ...]],
        wanted: Callable[[int], list[dict[str, Any]]],
        allowed: Callable[[int], bool],
    ) -> None:
        """Asks for rounds and trains them until the budget of the stage is used up."""
        sampler = self.samplers[stage] = Sampler(suggest, self.seed)
        number = tried = 0
        while (stage, number) in self.records.rounds or number == 0 or allowed(tried):
            candidates = self._round(stage, number, sampler, wanted(number))
            tried += len(candidates)
            reference = self.records.rounds[stage, 0][0].number
            self._train_rungs(candidates, stage, reference)
            gains = [self.scores.gain(each.number, reference, RUNG_SEEDS) for each in candidates]
            sampler.tell([None if math.isinf(gain) else gain for gain in gains])
            self._keep_time()
            self._tell(stage, reference)
            number += 1

    def _round(self, stage: str, number: int, sampler: Sampler, wanted: list[dict[str, Any]]) -> list[Candidate]:
        """Returns the candidates of a round, as recorded or as proposed."""
        recorded = self.records.rounds.get((stage, number))
        if recorded is None:
            proposals = sampler.ask(number, wanted)
            first = 1 + max((each.number for each in self._recorded), default=-1)
            recorded = [
                Candidate(first + k, overrides, stage, self._kind(stage, number, k), params, self._teacher(params))
                for k, (overrides, params) in enumerate(proposals)
            ]
            self.records.add_round(stage, number, recorded)
        else:
            sampler.ask(number, [dict(each.params) for each in recorded])
        self.candidates |= {each.number: each for each in recorded}
        return recorded

    @property
    def _recorded(self) -> list[Candidate]:
        return [each for candidates in self.records.rounds.values() for each in candidates]

    def _teacher(self, params: dict[str, Any]) -> tuple[str, ...]:
        return self._pool[params["teachers"]] if "teachers" in params else ()

    def _wanted_teachers(self, number: int) -> list[dict[str, Any]]:
        if number == 0:
            return [{**DEFAULT_TEACHER, **each} for each in STARTING_TEACHERS]
        return [{} for _ in range(ROUND)]

    def _wanted_students(self, number: int) -> list[dict[str, Any]]:
        """Returns the given draws of a round: plain MLPs of every encoder in turn have a share of all rounds."""
        space = self.space
        if number == 0:
            return space.starts()
        plain = [{"method": "mlp", "encoder": space.encoders[number % len(space.encoders)]}]
        return [*plain, *({} for _ in range(ROUND - 1))]

    def _kind(self, stage: str, number: int, place: int) -> str:
        if stage == "student" and number == 0 and place < len(self.space.encoders):
            return "baseline"
        return "start" if number == 0 else "search"

    def _train_rungs(self, candidates: Sequence[Candidate], stage: str, reference: int) -> None:
        """Trains candidates on the seeds of one rung after the other, fewer on each."""
        kept = list(candidates)
        if stage == "student" and candidates[0].number == reference:
            self.train([(candidates[0], RUNGS[0][0])], math.inf)  # there is a student, however short the time
        for rung, seeds in enumerate(RUNGS):
            if rung:
                kept = self._promoted(kept, stage, reference, rung)
            end = self.budget.teachers_end if stage == "teacher" else self.budget.end
            self.train([(each, seed) for seed in seeds for each in kept], end)

    def _promoted(self, trained: Sequence[Candidate], stage: str, reference: int, rung: int) -> list[Candidate]:
        """Returns those among the best third of all on the rung below, and the baselines in any case."""
        below = [seed for seeds in RUNGS[:rung] for seed in seeds]
        gains = {
            each.number: self.scores.gain(each.number, reference, below)
            for each in self.candidates.values()
            if each.stage == stage and all(self.scores.has(each.number, seed) for seed in below)
        }
        ranked = sorted(gains.values(), reverse=True)
        least = ranked[(len(ranked) - 1) // KEEP] if ranked else math.inf
        return [
            each
            for each in trained
            if each.number == reference
            or each.kind == "baseline"
            or -math.inf < gains.get(each.number, -math.inf) >= least
        ]

    def train(self, jobs: Sequence[tuple[Candidate, int]], end: float) -> None:
        """Trains candidates on seeds, unless their results are there, and records the results.

        Args:
            jobs: candidates and seeds.
            end: time at which training stops.
        """
        jobs = [(each, seed) for each, seed in jobs if not self.scores.has(each.number, seed)]
        self._teach(jobs, end)
        groups: dict[tuple[tuple[str, ...], int], list[Candidate]] = {}
        for candidate, seed in jobs:
            apart = () if self.workers.together else (str(candidate.number),)
            groups.setdefault(((*candidate.teacher, *apart), seed), []).append(candidate)
        tasks: list[Task] = [(members, seed) for (_, seed), members in groups.items()]
        references = [rounds[0].number for (_, number), rounds in self.records.rounds.items() if number == 0]
        for results in self.workers.results(tasks, end):
            finished = [result for result in results if result.error != STOPPED]
            for result in finished:
                if result.val is None and result.number in references:  # not recorded: it may be mended
                    raise GraphKDError(f"not even what all is compared with can be trained: {result.error}")
            self.records.add_results(finished, self.budget.elapsed)
            for result in finished:
                self.scores.add(result)

    def _teach(self, jobs: Sequence[tuple[Candidate, int]], end: float) -> None:
        """Trains the teachers of students before them: each once, in one process."""
        pairs = dict.fromkeys((each.teacher, seed) for each, seed in jobs if each.teacher)
        missing = [pair for pair in pairs if pair not in self._trained_teachers]
        numbers = {-1 - k: teacher for k, (teacher, _) in enumerate(missing)}
        tasks: list[Task] = [
            ([Candidate(number, teacher, "teacher")], seed)
            for (number, teacher), (_, seed) in zip(numbers.items(), missing, strict=True)
        ]
        for results in self.workers.results(tasks, end):
            for result in results:
                before = self._teacher_seconds.get(numbers[result.number], 0.0)
                self._teacher_seconds[numbers[result.number]] = max(before, result.seconds)
            self.records.add_results([], self.budget.elapsed)
        self._trained_teachers |= set(missing)

    def _keep_time(self) -> None:
        """Keeps as much time for the last runs as the best student and its teacher took here."""
        best = next(iter(self._ranked(self.students, self.reference)), None) if self.students else None
        if best is not None:
            student = max(result.seconds for result in self.scores.results(best.number))
            self.budget.keep(self.final_seeds * (student + self._teacher_seconds.get(best.teacher, 0.0)))

    def _ranked(self, candidates: Sequence[Candidate], reference: int) -> list[Candidate]:
        """Returns candidates by their gain on the rungs, those that reached the second one first."""

        def rank(candidate: Candidate) -> tuple[bool, float]:
            second = self.scores.has(candidate.number, RUNGS[1][0])
            return second, self.scores.gain(candidate.number, reference, RUNG_SEEDS)

        return sorted((each for each in candidates if not math.isinf(rank(each)[1])), key=rank, reverse=True)

    def _choose(self) -> Candidate:
        """Compares the finalists on further seeds and returns the best.

        A plain MLP is chosen unless another is better by more than the standard error of the difference. Only
        finalists on as many seeds as any other can be the best.
        """
        finalists = self._finalists()
        later = (*RUNGS[1], *RUNGS[2], *CONFIRM)
        self.train([(each, seed) for seed in later for each in finalists], self.budget.last_runs)
        counts = {each.number: len(self.scores.results(each.number)) for each in finalists}
        compared = [each for each in finalists if counts[each.number] == max(counts.values())]
        best = max(compared, key=self.gain)
        other = max((each for each in finalists if each.is_plain), key=self.gain)
        differences = self.scores.differences(best.number, other.number, range(SEARCH_SEEDS))
        chosen = best if best.is_plain or _mean(differences) > self._standard_error(differences) else other
        reading_x = [each for each in finalists if each.is_plain and "encoder=raw" in each.overrides]
        self.records.add_fact("winner", chosen.number)
        self.records.add_fact("plain", max(reading_x, key=self.gain).number if reading_x else None)
        return chosen

    def _finalists(self) -> list[Candidate]:
        """Returns the best students, the best plain MLPs and the reference.

        They are recorded before they are trained on further rungs, which would change their rank: a search that
        was killed then compares the same ones.
        """
        facts, tried = self.records.facts, len(self.students)
        if facts.get("finalists_of") != tried:
            ranked = self._ranked(self.students, self.reference)
            plain = [each for each in ranked if each.is_plain]
            reads_x = [each for each in plain if "encoder=raw" in each.overrides]
            kept = [*[each for each in ranked if not each.is_plain][:FINALISTS], *plain[:1], *reads_x[:1]]
            numbers = dict.fromkeys([*(each.number for each in kept), self.reference])
            self.records.add_fact("finalists", list(numbers))
            self.records.add_fact("finalists_of", tried)
        return [self.candidates[number] for number in facts["finalists"]]

    def _standard_error(self, differences: Sequence[float]) -> float:
        """Returns that of a mean over seeds; with one seed, that of shares of the validation nodes.

        With one seed, an error in the user's units is taken in those of the reference's own error.
        """
        count = len(differences)
        if count < 2:
            unit = 1.0 if factor_of(self.space.metric) == 100 else abs(self._reference_score)
            return unit * math.sqrt(0.5 / max(1, self.val_nodes))
        mean = _mean(differences)
        return math.sqrt(sum((value - mean) ** 2 for value in differences) / (count - 1) / count)

    @property
    def _reference_score(self) -> float:
        """The mean validation score of the reference."""
        values = [result.val for result in self.scores.results(self.reference) if result.val is not None]
        return _mean(values)

    def _tell(self, stage: str, reference: int) -> None:
        found = [each for each in self.candidates.values() if each.stage == stage]
        best = next(iter(self._ranked(found, reference)), None)
        if best is None:
            return
        results = self.scores.results(best.number)
        values = [result.val for result in results if result.val is not None and result.seed in RUNG_SEEDS]
        score = heading_of(score_text([_mean(values)], self.space.metric), self.space.metric)
        self.tell(
            f"{self.budget.elapsed:.0f} s: {len(found)} {stage}s, the best {self.space.metric} {score} on "
            f"{len(values)} seeds: {' '.join(best.overrides)}"
        )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
