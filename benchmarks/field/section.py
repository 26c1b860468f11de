# SPDX-License-Identifier: Apache-2.0
"""The field as Markdown: each method beside the author's own, also by family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from ganno_keras.policies import DEFAULT_POLICY

from ..analysis.markdown_table import markdown_table
from ..records.cells import Row
from .comparison import (
    HARM,
    NEAR_CHANCE,
    NOT_RUN,
    ByTraining,
    Comparison,
    against,
    as_change,
    at_chance,
    badness,
    compare,
    gains,
    rows_of,
)
from .methods import (
    AUTHOR,
    COSINE,
    LAMB_RATE,
    METHODS,
    SCHEDULE_FREE_RATE,
    TUNED,
)
from .registry import TRAININGS, UNSEEN, find_training
from .training import Training

SECTION: Final = """## The field: trainings as people have them

How does each method end, beside what the author of a training would have used? There
are {num_trainings} trainings that no policy was meta-trained on. Each has the
optimizer, the rate and the callbacks of the usual example of its kind: these are the
author's own. Above zero a method ends better, other than in the table before: 0.05 is
an error that is 5 % smaller. The row `anchor` is `GANNO()`. A method that was run on
fewer trainings than the others is not to be compared with them by its means.

{table}

By family, the mean difference to the author's own. In brackets is how many trainings of
the family the method was run on:

{by_family}

What the columns say:

| column | what it is |
| --- | --- |
| to the author's own | difference of the negative logarithm of the test error, or of \
the test loss where there is no accuracy, paired by training and seed |
| interquartile mean | of the column to its left, without the best and the worst \
quarter of the trainings |
| in square brackets | 95 % interval of a bootstrap over trainings |
| harm | share of trainings that end more than {harm:g} below the author's own |
| at chance | trainings that removed less than {learned:.0%} of the error of guessing, \
in the mean of their seeds; and single runs |

What the rows were given:

| row | its rate |
| --- | --- |
| cosines | the author's |
| `schedule-free` | {schedule_free:g}, with Keras' ScheduleFreeAdamW |
| LAMB | {lamb:g} |
| *tuned* | the best found, with a cosine or one-cycle: see below |

Only *tuned* was chosen, on held-out samples with one seed. The search climbs on eight
rates, half a decade apart: first with a cosine, then with one-cycle. It begins at the
author's rate and ends at one whose neighbours are both worse. Of a training in two
parts, the rate of the last was chosen. What was chosen was then trained with the other
seeds, too. Nothing counts as worse than guessing. Made by `python -m benchmarks.field
run`.

### Each training

The author's error, or loss where there is no accuracy, is beside what guessing scores.
`GANNO()` and *tuned* are changes of it, paired by seed; below zero is better.

{trainings}
"""

UNSEEN_SECTION: Final = """## Trainings that no choice has seen

The formula of `GANNO()` was changed for what it did in some trainings of the field, and
five choices were asked of it. How good is it where nobody looked? These
{num_trainings} trainings were written after the formula, with other networks and other
optimizers among them, and carried out once. Two things were asked before, and
{answer}:

- `GANNO()` ends above the author's own and above its cosine in the mean.
- No training ends more than {harm:g} below the author's own.

{table}

The columns are those of the field. Here, too, *tuned* was chosen with one seed. Such a
rate may be near the cliff and fail with another seed: see the last column.

For each training, changes of the error or loss from the author's own, below zero is
better:

{trainings}

Made by `python -m benchmarks.field run --unseen --seeds 0,1,2`, with
`--methods author,cosine,GANNO,tuned`.
"""


def field_section(rows: Sequence[Row], methods: Sequence[str] | None = None) -> str:
    """The section of the page of results; empty without results.

    Args:
        rows: All results of the field.
        methods: The rows of its tables, by default all that there are; those without
            results are left out.
    """
    wanted = _all_methods(rows) if methods is None else methods
    shown = [method for method in wanted if rows_of(rows, method)]
    if not shown:
        return ""
    return SECTION.format(
        num_trainings=len(TRAININGS),
        harm=HARM,
        learned=1.0 - NEAR_CHANCE,
        schedule_free=SCHEDULE_FREE_RATE,
        lamb=LAMB_RATE,
        table=_table(rows, shown, (AUTHOR, COSINE, TUNED)),
        by_family=_by_family(rows, [it for it in shown if it != AUTHOR]),
        trainings=training_list(rows),
    )


def unseen_section(rows: Sequence[Row]) -> str:
    """The section of the trainings that no choice has seen; empty without results.

    Args:
        rows: All of their results.
    """
    if not rows:
        return ""
    return UNSEEN_SECTION.format(
        num_trainings=len(UNSEEN),
        answer=_answer(rows),
        harm=HARM,
        table=_table(rows, (COSINE, TUNED, DEFAULT_POLICY), (AUTHOR, COSINE, TUNED)),
        trainings=training_list(rows, UNSEEN, (COSINE, TUNED)),
    )


def _answer(rows: Sequence[Row]) -> str:
    """Says which of the two things hold."""
    own, cosine = (against(rows, DEFAULT_POLICY, it) for it in (AUTHOR, COSINE))
    if own is None or cosine is None:
        return "not answered yet"
    is_above = min(own.mean.value, cosine.mean.value) > 0.0
    answers = {
        (True, True): "both hold",
        (True, False): "the first holds",
        (False, True): "the second holds",
        (False, False): "neither holds",
    }
    return answers[is_above, not own.harmed]


def _all_methods(rows: Sequence[Row]) -> list[str]:
    """The known ones first, then policies and callbacks by name."""
    known = [*METHODS, TUNED]
    return [*known, *sorted({row.cell.method for row in rows} - set(known))]


def _table(rows: Sequence[Row], methods: Sequence[str], others: Sequence[str]) -> str:
    """Methods beside others, of which the first is the author's own."""
    header = ["", "trainings, runs", "to the author's own", "interquartile mean"]
    header.append("harm")
    for other in others[1:]:
        name = "best tuned" if other == TUNED else other
        header += [f"to the {name}", "interquartile mean"]
    header.append("at chance: trainings, runs")
    return markdown_table(header, (_line(rows, method, others) for method in methods))


def _line(rows: Sequence[Row], method: str, others: Sequence[str]) -> list[str]:
    own = against(rows, method)
    line = [method, f"{own.num_trainings}, {own.num_pairs}" if own else NOT_RUN]
    for other in others:
        found = against(rows, method, other)
        is_itself = method == other
        line += ["", ""] if is_itself else [_difference(found), _of_most(found)]
        if other == AUTHOR:
            line.append(f"{own.harm:.0%}" if own and not is_itself else "")
    return [*line, ", ".join(str(len(it)) for it in at_chance(rows, method))]


def _difference(comparison: Comparison | None) -> str:
    return f"{comparison.mean}" if comparison else NOT_RUN


def _of_most(comparison: Comparison | None) -> str:
    return f"{comparison.interquartile_mean}" if comparison else NOT_RUN


def _by_family(rows: Sequence[Row], methods: Sequence[str]) -> str:
    families = dict.fromkeys(training.family for training in TRAININGS.values())
    table = (
        [family, *(_of_family(rows, method, family) for method in methods)]
        for family in families
    )
    return markdown_table(["", *methods], table)


def _of_family(rows: Sequence[Row], method: str, family: str) -> str:
    of_family = [row for row in rows if find_training(row.cell.task).family == family]
    found = compare(gains(rows_of(of_family, method), rows_of(of_family, AUTHOR)))
    return f"{found.mean.value:+.3f} ({found.num_trainings})" if found else NOT_RUN


def lines_beside(rows: Sequence[Row], methods: Sequence[str], other: str) -> list[str]:
    """Methods beside another one: in all trainings, by family, and in each training.

    Args:
        rows: All results of the field.
        methods: Whose results; those that share no training with the other are left
            out.
        other: The method that they are held against.
    """
    lines = []
    for method in methods:
        found = gains(rows_of(rows, method), rows_of(rows, other))
        families = dict.fromkeys(find_training(name).family for name in found)
        for family in ("all", *families):
            chosen = {
                name: values
                for name, values in found.items()
                if family in ("all", find_training(name).family)
            }
            if outcome := compare(chosen):
                lines.append(
                    f"{method} beside {other}, {family}: {outcome.mean}, "
                    f"{outcome.num_trainings} trainings, interquartile mean "
                    f"{outcome.interquartile_mean}, harm in {len(outcome.harmed)}"
                )
        means = {name: float(np.mean(values)) for name, values in found.items()}
        lines += [
            f"{means[it]:+.3f} {it}" for it in sorted(means, key=means.__getitem__)
        ]
    return lines


def training_list(
    rows: Sequence[Row],
    trainings: Mapping[str, Training] = TRAININGS,
    beside: Sequence[str] = (TUNED,),
) -> str:
    """Trainings as a Markdown table, with what came of them where there is it.

    Args:
        rows: All of their results.
        trainings: By name.
        beside: The methods whose changes stand beside those of `GANNO()`.
    """
    own = rows_of(rows, AUTHOR)
    changed = [rows_of(rows, it) for it in (DEFAULT_POLICY, *beside)]
    header = [
        *("training", "family", "optimizer and rate", "epochs, minibatch"),
        *("weights", "updates", "error or loss (guessing)", "`GANNO()`", *beside),
    ]
    return markdown_table(
        header,
        (
            [
                *_choices(training),
                *_outcome(list(own.get(name, {}).values())),
                *(_changed(them, own, name) for them in changed),
            ]
            for name, training in trainings.items()
        ),
    )


def _changed(ours: ByTraining, own: ByTraining, name: str) -> str:
    found = gains(ours, own).get(name)
    return as_change(float(np.mean(found))) if found else NOT_RUN


def _choices(training: Training) -> list[str]:
    definition = training.definition()
    rates = zip(definition["optimizers"], definition["rates"], strict=True)
    return [
        training.name,
        training.family,
        ", then ".join(f"{optimizer} {rate:g}" for optimizer, rate in rates),
        f"{' + '.join(map(str, definition['epochs']))}, {training.batch_size}",
    ]


def _outcome(runs: Sequence[Row]) -> list[str]:
    if not runs:
        return [NOT_RUN] * 3
    courses = [row.score.course for row in runs]
    return [
        f"{courses[0]['weights']:,}",
        f"{np.mean([course['updates'] for course in courses]):,.0f}",
        f"{np.mean([badness(row) for row in runs]):.3g} ({courses[0]['chance']:.3g})",
    ]
