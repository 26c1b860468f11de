# SPDX-License-Identifier: Apache-2.0
"""The result of a comparison, as text, as a table in a notebook and as a picture."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from ganno_keras.comparison.held_out import Measure
from ganno_keras.comparison.picture import draw
from ganno_keras.comparison.statistics import (
    FEWEST_SEEDS,
    PairedDifference,
    certainty,
    paired_difference,
)
from ganno_keras.comparison.training import Outcome
from ganno_keras.comparison.ways import AS_IT_IS, COSINE, GANNO_WAY, Plan
from ganno_keras.summaries.tables import Table, join_words, paragraph

MOST_SEEDS_SHOWN: Final = 5
"""With more seeds the table has no column for each."""

HELPS: Final = "helps"
HARMS: Final = "harms"
NO_DIFFERENCE: Final = "no difference seen"
CANNOT_TELL: Final = "cannot tell"
FAILED: Final = "failed"


class Facts(NamedTuple):
    """What a comparison is of.

    Args:
        measure: The score to compare by.
        held_out: The name of the samples that it is measured on.
        plan: How the user's own training sets its rate.
        ganno: How GANNO is called.
        seeds: Of the trainings of each way.
    """

    measure: Measure
    held_out: str
    plan: Plan
    ganno: str
    seeds: Sequence[int]


class Comparison:
    """A user's own training beside a cosine decay and beside GANNO.

    It is text for `print` and in a console, and a table in a notebook.

    Args:
        facts: What it is of.
        outcomes: What came of each training.
        failures: Why a way could not be trained.
    """

    def __init__(
        self, facts: Facts, outcomes: Sequence[Outcome], failures: Mapping[str, str]
    ) -> None:
        self._facts = facts
        self._failures = dict(failures)
        self.outcomes = list(outcomes)

    # ------------------------------------------------------------ numbers

    @property
    def verdict(self) -> str:
        """Returns what GANNO does to the training, beside it as it is.

        It is "helps" or "harms" where the 95 % interval of the differences leaves no
        room for 0, and "no difference seen" where it does. With fewer than three seeds
        it is "cannot tell", and where GANNO could not be used it is "failed".
        """
        if GANNO_WAY in self._failures:
            return FAILED
        found = self.difference()
        if found is None or len(self._distinct_seeds()) < FEWEST_SEEDS:
            return CANNOT_TELL
        better = found.sign if self._facts.measure.is_higher_better else -found.sign
        return {1: HELPS, 0: NO_DIFFERENCE, -1: HARMS}[better]

    def scores(self, way: str) -> dict[int, float]:
        """Returns the score of each seed.

        Args:
            way: "as it is", "cosine decay" or "GANNO".
        """
        name = self._facts.measure.name
        return {it.seed: it.scores[name] for it in self.outcomes if it.way == way}

    def difference(
        self, way: str = GANNO_WAY, other: str = AS_IT_IS
    ) -> PairedDifference | None:
        """Returns by how much a way is above another, paired by seed.

        Args:
            way: "as it is", "cosine decay" or "GANNO".
            other: Another one of them.

        Returns:
            The mean difference with its 95 % interval. None without a common seed, or
            if one of the scores is no number.
        """
        ours, theirs = self.scores(way), self.scores(other)
        seeds = [seed for seed in ours if seed in theirs]
        pairs = [(ours[seed], theirs[seed]) for seed in seeds]
        if not pairs or not np.isfinite(pairs).all():
            return None
        return paired_difference(*zip(*pairs, strict=True))

    def to_dict(self) -> dict[str, Any]:
        """Describes the comparison in plain JSON types."""
        measure = self._facts.measure
        ways = {
            way: {
                "scores": {str(seed): it for seed, it in self.scores(way).items()},
                "difference": found and found.to_dict(),
                "failure": self._failures.get(way),
            }
            for way in self._facts.plan.ways
            for found in [self.difference(way)]
        }
        return {
            "verdict": self.verdict,
            "metric": measure.name,
            "higher_is_better": measure.is_higher_better,
            "held_out": self._facts.held_out,
            "seeds": list(self._facts.seeds),
            "ways": ways,
        }

    # ------------------------------------------------------------ for people

    def __str__(self) -> str:
        return "\n\n".join(
            [self._title(), self._table().as_text("  "), "\n".join(self._sentences())]
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Returns what a notebook shows."""
        below = "".join(map(paragraph, self._sentences()))
        return paragraph(self._title()) + self._table().as_html() + below

    def plot(self, path: str | os.PathLike[str] | None = None) -> Any:
        """Plots the score by epoch, and the last scores by seed.

        Args:
            path: Where to save the picture, such as `"comparison.png"`.

        Returns:
            The matplotlib figure.

        Raises:
            ImportError: If matplotlib is not installed.
        """
        names = {way: self._name(way) for way in self._facts.plan.ways}
        where = f"{self._facts.measure.name} on the {self._facts.held_out}"
        return draw(self.outcomes, names, self._facts.measure.name, where, path)

    def _title(self) -> str:
        facts = self._facts
        direction = "higher" if facts.measure.is_higher_better else "lower"
        updates = sorted({it.updates for it in self.outcomes})
        length = f"{updates[0]:,}" if updates else "0"
        if len(updates) > 1:
            length += f" to {updates[-1]:,}"
        return (
            f"{facts.ganno} beside your own training: {facts.measure.name} on the "
            f"{facts.held_out} ({direction} is better), {_seeds(len(facts.seeds))}, "
            f"{length} updates."
        )

    def _name(self, way: str) -> str:
        plan = self._facts.plan
        if way == GANNO_WAY:
            return self._facts.ganno
        if way == COSINE:
            return f"cosine decay from {plan.rate:g}"
        return f"as it is: {plan.optimizer} {plan.rate_in_words}"

    def _table(self) -> Table:
        seeds = self._facts.seeds if len(self._facts.seeds) <= MOST_SEEDS_SHOWN else ()
        header = [
            *("", *(f"seed {seed}" for seed in seeds), "mean"),
            *("to as it is", "95 % interval", "seconds"),
        ]
        return Table(header, [self._row(way, seeds) for way in self._facts.plan.ways])

    def _row(self, way: str, seeds: Sequence[int]) -> list[str]:
        scores = self.scores(way)
        mean = _number(float(np.mean(list(scores.values())))) if scores else "-"
        times = [it.seconds for it in self.outcomes if it.way == way]
        return [
            self._name(way),
            *(_number(scores[seed]) if seed in scores else "-" for seed in seeds),
            mean,
            *_difference_cells(None if way == AS_IT_IS else self.difference(way)),
            f"{np.mean(times):.1f}" if times else "-",
        ]

    def _sentences(self) -> list[str]:
        """Returns what can be said, and how sure it is."""
        plan = self._facts.plan
        others = [way for way in plan.ways if way != GANNO_WAY]
        found = [
            f"{self._name(way)} could not be trained: {why}"
            for way, why in self._failures.items()
        ]
        if GANNO_WAY not in self._failures:
            found += [self._judged(it) for it in others if it not in self._failures]
        found.append(self._certainty())
        if plan.rate is None:
            found.append(
                "There is no row for a cosine decay, which starts from a single rate: "
                f"the model is compiled {plan.rate_in_words}."
            )
        if plan.left_out:
            found.append(
                f"{join_words(plan.left_out)} was at work only where the training is "
                "as it is; the others set the rates themselves."
            )
        return [line for line in found if line]

    def _judged(self, other: str) -> str:
        """Says whether GANNO ends above another way."""
        found = self.difference(GANNO_WAY, other)
        beside = "Beside your training as it is"
        if other == COSINE:
            beside = f"Beside a {self._name(other)}"
        if found is None:
            return f"{beside}: a score is no number, so there is no mean difference."
        wins = sum(
            (it > 0.0) == self._facts.measure.is_higher_better
            for it in found.differences
            if it != 0.0
        )
        count = f"{self._facts.ganno} is better in {wins} of {_seeds(found.num_pairs)}"
        if len(self._distinct_seeds()) < FEWEST_SEEDS:
            return f"{beside}: {count}."
        interval = f"95 % interval {_signed(found.low)} to {_signed(found.high)}"
        if not found.sign:
            return (
                f"{beside}: no difference that these seeds can show ({count}; "
                f"{_signed(found.mean)}, {interval})."
            )
        is_better = (found.sign > 0) == self._facts.measure.is_higher_better
        word, size = "better" if is_better else "worse", _signed(abs(found.mean))[1:]
        return f"{beside}: {word} by {size} ({count}; {interval})."

    def _certainty(self) -> str:
        """Says how sure one can be."""
        return certainty(len(self._facts.seeds), len(self._distinct_seeds()))

    def _distinct_seeds(self) -> Sequence[int]:
        """Returns the seeds; only the first if all of them gave the very same."""
        found = [it.scores for it in self.outcomes if it.way == AS_IT_IS]
        is_same = len(found) > 1 and all(it == found[0] for it in found)
        return self._facts.seeds[:1] if is_same else self._facts.seeds


def _seeds(number: int) -> str:
    return f"{number} seed{'' if number == 1 else 's'}"


def _number(value: float) -> str:
    if abs(value) < 10.0:
        return f"{value:.4f}"
    return f"{value:,.0f}" if 1000.0 <= abs(value) < 1e15 else f"{value:.4g}"


def _difference_cells(found: PairedDifference | None) -> tuple[str, str]:
    if found is None:
        return "", ""
    mean, low, high = map(_signed, found[:3])
    return mean, "" if found.num_pairs < FEWEST_SEEDS else f"{low} to {high}"


def _signed(value: float) -> str:
    return f"{value:+,.0f}" if 1000.0 <= abs(value) < 1e15 else f"{value:+.3g}"
