# SPDX-License-Identifier: Apache-2.0
"""Policies as methods, and the controls that say what a policy's figures are worth.

`NAME` is a policy as it is meant to be used, but without the guard, which the paper
does not have. `NAME, without ENTRY` is never shown that entry of its observation. Its
controls are `NAME, greedy` and `NAME, sampled`; `NAME, untrained`:
the same agent before any meta-training; `NAME, guarded`: with the guard; `NAME,
averaged`: its average schedule over seeds and layers, replayed without looking; `NAME,
averaged by layer`: the same with a schedule for every layer; and `NAME, averaged
elsewhere`: its average schedule on other networks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import keras

from ganno_keras import GANNO
from ganno_keras.control.actions import DEFAULT_LEARNING_RATE_BOUNDS
from ganno_keras.policies import Policy, load_policy

from ..records.cells import Cell
from .average_schedules import Replay, average_rates, missing_for_average
from .masked_policy import MaskedPolicy
from .method import Ingredients, Method, Situation
from .policy_names import (
    GREEDY,
    GUARDED,
    MASKS,
    SAMPLED,
    UNTRAINED,
    Average,
    metadata_of,
    split_name,
)

NO_TUNING: Final = "nothing; meta-trained once"


def policy_method(name: str) -> Method:
    """Makes the method of a policy or of one of its controls.

    Args:
        name: Of the policy (or the path of its folder), and of the control if any.
    """
    policy, kind = split_name(name)
    if kind in {average.value for average in Average}:
        return _replay(policy, Average(kind))
    makers: Mapping[str, Callable[[Situation], Ingredients]] = {
        "": lambda it: with_ganno(it, policy),
        GREEDY: lambda it: with_ganno(it, policy, temperature=0.0),
        SAMPLED: lambda it: with_ganno(it, policy, temperature=1.0),
        # Sampled: its arg-max would be one arbitrary action throughout.
        UNTRAINED: lambda it: with_ganno(
            it, _untrained(policy, it.cell.seed), temperature=1.0
        ),
        GUARDED: lambda it: with_ganno(it, policy, guard=True),
        **{kind: partial(_masked, policy, entry) for kind, entry in MASKS.items()},
    }
    return Method(
        makers[kind],
        NO_TUNING,
        obstacle=lambda _: _obstacle(policy, needs_agent=kind == UNTRAINED),
        identity=lambda: _identity(policy),
    )


def with_ganno(
    situation: Situation, policy: str | Policy, guard: bool = False, **options: Any
) -> Ingredients:
    """Adam under the callback, which looks at the images that are held out for it."""
    ganno = GANNO(
        policy,
        validation_data=tuple(situation.validation),
        seed=situation.cell.seed,
        guard=guard,
        log_learning_rates=False,
        **options,
    )
    return Ingredients(_adam(situation), (ganno,))


def _masked(policy: str, entry: str, situation: Situation) -> Ingredients:
    return with_ganno(situation, MaskedPolicy(load_policy(policy), entry))


def _adam(situation: Situation) -> keras.optimizers.Optimizer:
    decay = situation.cell.weight_decay
    if situation.cell.initial_learning_rate is None:
        return keras.optimizers.Adam(weight_decay=decay)  # Its rate is never used.
    return keras.optimizers.Adam(situation.rate, weight_decay=decay)


def _untrained(policy: str, seed: int) -> Policy:
    # Only this control needs TF-Agents, which takes seconds to import.
    from .untrained_policy import untrained_policy  # noqa: PLC0415

    return untrained_policy(metadata_of(policy), seed)


def _replay(policy: str, average: Average) -> Method:
    def make(situation: Situation) -> Ingredients:
        rates = average_rates(situation.cell, policy, average)
        optimizer = _adam(situation)
        start = metadata_of(policy).action_set.starting_point(
            float(optimizer.learning_rate),
            float(optimizer.weight_decay or 0.0),
            DEFAULT_LEARNING_RATE_BOUNDS,
        )
        return Ingredients(optimizer, (Replay(rates, start),))

    def obstacle(cell: Cell) -> str:
        return _obstacle(policy) or missing_for_average(cell, policy, average)

    return Method(
        make,
        "nothing; other runs of the policy",
        obstacle=obstacle,
        identity=lambda: _identity(policy),
        needs_results=True,
    )


def _obstacle(policy: str, *, needs_agent: bool = False) -> str:
    try:
        metadata = metadata_of(policy)
    except ValueError as error:
        return str(error)
    if needs_agent and "configuration" not in metadata.trained_on:
        return f"The policy {policy!r} does not say with which agent it was trained."
    return ""


def _identity(policy: str) -> dict[str, Any]:
    digest = metadata_of(policy).digest
    return {"policy": digest} if digest else {}
