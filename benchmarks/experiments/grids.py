# SPDX-License-Identifier: Apache-2.0
"""Defines every table and figure as a set of cells.

Grids overlap. A cell of two grids is trained once and shown in both.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from ..methods.constant_actions import CONSTANT_ACTIONS
from ..methods.policy_names import (
    CONTROLS,
    EPISODES,
    MASKS,
    PAPERS_OWN,
    UNTRAINED,
    Average,
    as_kept,
    canonical_name,
    control,
    split_name,
)
from ..records.cells import Cell
from .tasks import (
    CNN5,
    FAMILIES,
    HALF_RESNETS,
    LONG,
    MODEL_SELECTION_TASKS,
    RESNETS,
    SMALLER_MINIBATCHES,
    TABULAR,
    WITHOUT_ACCURACY,
)

GANNO: Final = "GANNO"
"""The placeholder for each policy of a run."""

ABLATIONS: Final = (
    "ganno-paper-learning-rate-only",
    "ganno-paper-timestep-only",
    "ganno-paper-single-agent",
    PAPERS_OWN,
)
"""The policies of Table 2, each meta-trained with the recipe `paper`."""

RATES: Final = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)

SIMPLE: Final = (
    "constant",
    "linear",
    "quadratic",
    "cosine",
    "exponential",
    "piecewise",
    "sgdr",
)

OPTIMIZERS: Final = ("lamb and cosine", "schedule-free")

LEARNED: Final = ("celo-adam", "velo")

FIXED: Final = (
    "constant",
    "linear",
    "cosine",
    "sgdr",
    "warm-up and cosine",
    "one-cycle",
)

FAMILY_WEIGHT_DECAY: Final = 0.1
"""The weight decay of most of the paper's tables, and of the policies' own scores.

Families have this one only, since a second would double the trainings.
"""

USUAL_RATE: Final = 1e-3
"""The rate that networks are compiled with where one rate stands for all."""


NETWORK_CONTROLS: Final = (
    UNTRAINED,
    *(average.value for average in Average),
)
"""The controls that a policy has to beat on the networks of `FAMILIES`."""


class Sweep(NamedTuple):
    """All combinations of methods, initial rates and weight decays on one task."""

    task: str
    methods: tuple[str, ...]
    initial_learning_rates: tuple[float | None, ...]
    weight_decays: tuple[float, ...]


Grid = tuple[Sweep, ...]


def usual_cell(task: str, method: str) -> Cell:
    """Returns the cell that compares methods where one initial rate stands for all."""
    return Cell(task, method, USUAL_RATE, FAMILY_WEIGHT_DECAY, seed=0)


def _robustness(*methods: str) -> Grid:
    """Makes a grid of ResNet-18 with two weight decays."""
    return (
        Sweep(RESNETS, methods, (1e-3,), (0.1, 0.01)),
        Sweep(RESNETS, ("celo-adam",), (None,), (0.1, 0.01)),
    )


def _evaluation_choice(other: str) -> Grid:
    """Makes a grid of the usual task and one with another choice of the evaluation."""
    methods = ("constant", "cosine", GANNO)
    return tuple(Sweep(task, methods, (1e-3,), (0.1,)) for task in (CNN5, other))


GRIDS: Final[Mapping[str, Grid]] = {
    "table1": (
        Sweep(CNN5, ("constant", "linear", "exponential", "sgdr"), RATES, (0.1,)),
        Sweep(CNN5, OPTIMIZERS, RATES, (0.1,)),
        Sweep(CNN5, ("lion",), RATES, (0.1, 0.01)),
        Sweep(CNN5, LEARNED, (None,), (0.1, 0.01)),
        Sweep(CNN5, ("random", GANNO), RATES, (0.1,)),
    ),
    "table2": (Sweep(CNN5, (*ABLATIONS, GANNO), (0.0, *RATES), (0.1,)),),
    "table3": (
        Sweep(CNN5, ("warm-up and cosine", "one-cycle"), RATES, (0.1,)),
        Sweep(CNN5, (GANNO,), (0.0,), (0.1,)),
    ),
    "table4": (Sweep(CNN5, (*SIMPLE, GANNO), RATES, (0.1,)),),
    "table5": (
        Sweep(CNN5, (*SIMPLE, "lion", GANNO), RATES, (0.0001,)),
        Sweep(CNN5, LEARNED, (None,), (0.0001,)),
    ),
    "figure2": (
        Sweep(
            "cnn2-fashion",
            tuple(control(PAPERS_OWN, episode) for episode in EPISODES),
            (1e-3,),
            (0.1,),
        ),
    ),
    "figure3": (Sweep("cnn2-fashion-long", ("no-op", PAPERS_OWN), (1e-3,), (0.1,)),),
    "figure4": _robustness("random", GANNO),
    "figure5": (),  # It is drawn from the schedules themselves.
    "figure6": (Sweep(CNN5, (PAPERS_OWN,), (0.0,), (0.1,)),),
    "figure7": _robustness("random", "sgdr", GANNO),
    "controls": (
        Sweep(
            CNN5,
            (
                "no-op",
                GANNO,
                *(
                    control(GANNO, kind)
                    for kind in CONTROLS
                    # No other network here trains as long.
                    if kind != Average.ELSEWHERE.value
                ),
            ),
            (0.0, 1e-3, 1e-2),
            (0.1,),
        ),
        *(
            Sweep(
                family,
                (GANNO, *(control(GANNO, kind) for kind in NETWORK_CONTROLS)),
                (1e-3,),
                (FAMILY_WEIGHT_DECAY,),
            )
            for family in FAMILIES
        ),
    ),
    "actions": tuple(
        Sweep(task, methods, (rate,), (FAMILY_WEIGHT_DECAY,))
        for task in MODEL_SELECTION_TASKS
        for methods, rate in ((tuple(CONSTANT_ACTIONS), None), ((GANNO,), 1e-3))
    ),
    "observations": tuple(
        Sweep(
            family,
            (GANNO, *(control(GANNO, kind) for kind in MASKS)),
            (1e-3,),
            (FAMILY_WEIGHT_DECAY,),
        )
        for family in FAMILIES
    ),
    "precision": _evaluation_choice("cnn5-cifar10-float32"),
    "scaling": _evaluation_choice("cnn5-cifar10-unscaled"),
    # The most informative cells come first, since the long task takes long.
    "length": (
        Sweep(LONG, (GANNO,), (USUAL_RATE,), (0.1,)),
        Sweep(LONG, (PAPERS_OWN,), RATES, (0.1,)),
        Sweep(LONG, ("constant", "cosine", "sgdr", "one-cycle"), RATES, (0.1,)),
        Sweep(LONG, ("linear",), (1e-4, 1e-2), (0.1,)),
        Sweep(SMALLER_MINIBATCHES, ("linear",), (1e-4, 1e-2), (0.1,)),
    ),
    "resnet18": (
        Sweep(RESNETS, ("constant", "cosine", "sgdr", GANNO), RATES, (0.1, 0.01)),
    ),
    "resnet18-half": (
        Sweep(HALF_RESNETS, ("constant", "cosine", GANNO), (1e-3, 1e-2), (0.1,)),
    ),
    "resnet9": (
        Sweep(
            "resnet9-fashion-eighth",
            ("constant", "cosine", "random", GANNO),
            (1e-3,),
            (0.1,),
        ),
    ),
    **{
        name: tuple(
            Sweep(task, (*FIXED, GANNO), RATES, (FAMILY_WEIGHT_DECAY,))
            for task in tasks
        )
        for name, tasks in (
            ("families", FAMILIES),
            ("losses", WITHOUT_ACCURACY),
            ("tabular", (TABULAR,)),
        )
    },
}


def cells_of(name: str, num_seeds: int, policy_names: Sequence[str]) -> list[Cell]:
    """Lists all cells of a grid, first those of seed 0.

    Args:
        name: One of `GRIDS`, or `"all"` for all of them.
        num_seeds: The number of seeds, from 0 on.
        policy_names: The policies that replace `GANNO`.

    Raises:
        ValueError: If there is no such grid, or no seed.

    Example:

        >>> len(cells_of("table4", 3, ["ganno-first"]))
        120
    """
    if num_seeds < 1:
        raise ValueError(f"The number of seeds is {num_seeds}; at least 1 is needed.")
    # Results of a policy are found by its name or its folder.
    policy_names = [canonical_name(policy) for policy in policy_names]
    sweeps = [sweep for grid in _grids(name) for sweep in grid]
    found = [
        cell
        for seed in range(num_seeds)
        for sweep in sweeps
        for cell in _cells(sweep, seed, policy_names)
    ]
    return list(dict.fromkeys(found))


def _grids(name: str) -> Iterable[Grid]:
    if name == "all":
        return GRIDS.values()
    if name not in GRIDS:
        raise ValueError(
            f"There is no table or figure {name!r}; there are {', '.join(GRIDS)} and "
            "all."
        )
    return [GRIDS[name]]


def _cells(sweep: Sweep, seed: int, policy_names: Sequence[str]) -> list[Cell]:
    methods = itertools.chain.from_iterable(
        fill_in(method, policy_names) for method in sweep.methods
    )
    return [
        as_kept(Cell(sweep.task, method, rate, decay, seed))
        for decay, rate, method in itertools.product(
            sweep.weight_decays, sweep.initial_learning_rates, list(methods)
        )
    ]


def fill_in(method: str, policy_names: Sequence[str]) -> list[str]:
    """Replaces `GANNO` in a method's name by each policy.

    Example:

        >>> fill_in("GANNO, greedy", ["a", "b"])
        ['a, greedy', 'b, greedy']
    """
    name, kind = split_name(method)
    if name != GANNO:
        return [method]
    return [control(policy, kind) if kind else policy for policy in policy_names]
