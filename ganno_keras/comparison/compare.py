# SPDX-License-Identifier: Apache-2.0
"""Trains a user's own training with and without GANNO, and says what differs."""

from __future__ import annotations

import operator
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ganno_keras.callbacks.ganno import GANNO
from ganno_keras.comparison.case import BuildModel, Case, Data
from ganno_keras.comparison.comparison import Comparison, Facts
from ganno_keras.comparison.definition import definition_of
from ganno_keras.comparison.held_out import choose_measure, held_out_samples
from ganno_keras.comparison.outcomes_file import OutcomesFile
from ganno_keras.comparison.training import Outcome, train
from ganno_keras.comparison.ways import AS_IT_IS, Plan


def compare(  # noqa: PLR0913  each is something that users ask for
    build_model: BuildModel,
    data: Data,
    *,
    seeds: int | Sequence[int] = 3,
    test_data: Any = None,
    metric: str | None = None,
    higher_is_better: bool | None = None,
    ganno: Mapping[str, Any] | None = None,
    results: str | os.PathLike[str] | None = None,
    verbose: int = 1,
) -> Comparison:
    """Trains as you do, with a cosine decay, and with `GANNO()`, and compares.

    All three begin with the same seeds, so with the same weights. The cosine decay goes
    from the optimizer's rate to 0 over the planned updates; there is none if the model
    is compiled with a schedule. Callbacks that set rates are left out of the last two.

    Args:
        build_model: A function that returns a new, compiled model.
        data: The arguments of `fit`, such as `dict(x=x, y=y, epochs=10,
            validation_data=(x_val, y_val))`. With callbacks or generators, a function
            that makes them anew for each training.
        seeds: How many trainings of each way, at least 1, or the seeds themselves. With
            fewer than 3 nothing can be said for sure.
        test_data: What to judge by, as `(x, y)` or a dataset; by default the validation
            data of `fit`. It is measured once, at the end of each training.
        metric: The score to judge by; by default the model's first metric, or else its
            loss.
        higher_is_better: Which direction of it is better; by default judged by its
            name.
        ganno: Arguments of `GANNO`, such as `dict(policy="ganno-first")`.
        results: A file that keeps every finished training. A comparison that was killed
            goes on from there, and one with more seeds trains only those.
        verbose: 1 prints a line for each training.

    Returns:
        The comparison: `print` it, `plot` it, or ask for its `verdict`.

    Raises:
        TypeError: If an argument is of another kind.
        ValueError: If an argument is out of its range, nothing is held out, there is no
            such metric, a model would go on from the one before, or the results are
            those of another comparison. All of this is found out before anything is
            trained.

    Example:

        >>> import keras, numpy as np
        >>> def build_model():
        ...     model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        ...     model.compile("adam", "mse")
        ...     return model
        >>> x, y = np.ones((64, 4)), np.ones((64, 1))
        >>> data = dict(x=x, y=y, epochs=2, validation_data=(x, y))
        >>> found = compare(build_model, data, seeds=1, verbose=0)
        >>> found.verdict
        'cannot tell'
    """
    case, numbers = Case(build_model, data), _check_seeds(seeds)
    settings = _check_ganno(ganno)
    facts, kept = _look(
        case, numbers, test_data, (metric, higher_is_better), settings, results
    )
    run = _Run(case, facts, kept, test_data, settings, verbose)
    failures: dict[str, str] = {}
    for way, seed in run.open_ones():
        try:
            run.train(way, seed)
        except Exception as error:
            if way == AS_IT_IS:
                raise
            failures[way] = " ".join(f"{type(error).__name__}: {error}".split())
            run.say(f"{way}, seed {seed}: {failures[way]}")
    outcomes = [it for it in kept.outcomes.values() if it.seed in numbers]
    return Comparison(
        facts, [it for it in outcomes if it.way in facts.plan.ways], failures
    )


class _Run(NamedTuple):
    """The trainings of a comparison."""

    case: Case
    facts: Facts
    kept: OutcomesFile
    test_data: Any
    ganno: Mapping[str, Any]
    verbose: int

    def open_ones(self) -> Iterator[tuple[str, int]]:
        """Yields what is to be trained, and prints how far it is."""
        cells = [(way, it) for it in self.facts.seeds for way in self.facts.plan.ways]
        missing = [cell for cell in cells if cell not in self.kept.outcomes]
        if len(missing) < len(cells):
            self.say(f"{len(cells) - len(missing)} of {len(cells)} trainings are kept.")
        begin = time.perf_counter()
        for done, cell in enumerate(missing):
            yield cell
            outcome = self.kept.outcomes.get(cell)
            left = (
                (time.perf_counter() - begin) / (done + 1) * (len(missing) - done - 1)
            )
            number = f"[{len(cells) - len(missing) + done + 1}/{len(cells)}]"
            if outcome is not None:
                self.say(f"{number} {self._told(outcome)}, about {left:.0f} s left")

    def train(self, way: str, seed: int) -> None:
        """Trains once and keeps the outcome."""
        own = self.kept.outcomes.get((AS_IT_IS, seed))
        planned = 0 if own is None else own.planned_updates
        measure = self.facts.measure
        self.kept.append(
            train(self.case, way, seed, measure, self.test_data, planned, self.ganno)
        )

    def _told(self, outcome: Outcome) -> str:
        name = self.facts.measure.name
        return (
            f"seed {outcome.seed}, {outcome.way}: {name} "
            f"{outcome.scores[name]:.4g} in {outcome.seconds:.1f} s"
        )

    def say(self, text: str) -> None:
        """Prints a line, if that is wanted."""
        if self.verbose:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()


def _look(
    case: Case,
    seeds: Sequence[int],
    test_data: Any,
    wanted: tuple[str | None, bool | None],
    ganno: Mapping[str, Any],
    results: str | os.PathLike[str] | None,
) -> tuple[Facts, OutcomesFile]:
    """Measures an untrained model, so that what cannot work is known at once."""
    arguments, model = case.fit_arguments(), case.model()
    held_out = held_out_samples(arguments, test_data)
    plan = Plan.of(model, arguments["callbacks"])
    definition = definition_of(model, arguments, held_out.arguments, ganno)
    kept = OutcomesFile(results, definition)
    measure = choose_measure(held_out.scores(model), *wanted)
    case.check_starts_anew(model)
    return Facts(measure, held_out.name, plan, _called(ganno), seeds), kept


def _called(ganno: Mapping[str, Any]) -> str:
    """Returns how GANNO is called, without long values."""
    shown = [
        f"{name}={value!r}" if isinstance(value, str | int | float) else f"{name}=…"
        for name, value in ganno.items()
    ]
    return f"GANNO({', '.join(shown)})"


def _check_seeds(seeds: Any) -> tuple[int, ...]:
    try:
        given = (
            tuple(map(operator.index, seeds))
            if isinstance(seeds, Sequence) and not isinstance(seeds, str)
            else tuple(range(operator.index(seeds)))
        )
    except TypeError:
        raise TypeError(
            f"seeds is {seeds!r}; a number of seeds is needed, such as 3, or a list of "
            "whole numbers."
        ) from None
    if not given or min(given) < 0 or len(set(given)) < len(given):
        raise ValueError(
            f"seeds is {seeds!r}; at least one seed is needed, each only once and "
            "none below 0."
        )
    return given


def _check_ganno(ganno: Mapping[str, Any] | None) -> dict[str, Any]:
    """Returns the arguments of GANNO, after a try."""
    if ganno is None:
        return {}
    if not isinstance(ganno, Mapping):
        raise TypeError(
            f"ganno is {ganno!r}; the arguments of GANNO are needed, such as "
            "dict(policy='ganno-first'), since every training gets one of its own."
        )
    GANNO(**ganno)
    return dict(ganno)
