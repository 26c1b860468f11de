# SPDX-License-Identifier: Apache-2.0
"""Makes methods of policies, and of controls that their figures are compared with.

`NAME` is a policy as users run it, but without the guard, which the paper does not
have. `NAME, without ENTRY` hides that entry of its observation. The controls are:

- `NAME, greedy` and `NAME, sampled`: the likeliest actions, or sampled ones.
- `NAME, untrained`: the same agent before any meta-training.
- `NAME, at episode 40`: the agent that played that episode of its meta-training.
- `NAME, guarded`: the policy with the guard.
- `NAME, averaged`: its average schedule over other seeds and all layers.
- `NAME, averaged by layer`: the average over other seeds, for each layer.
- `NAME, averaged elsewhere`: its average schedule on other networks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import keras

from ganno_keras import GANNO
from ganno_keras.control.actions import DEFAULT_LEARNING_RATE_BOUNDS
from ganno_keras.policies import Policy, load_policy
from ganno_keras.policies.scripted import BUILT_IN_POLICIES

from ..records.cells import Cell
from .average_schedules import AverageSchedule, average_rates, missing_for_average
from .masked_policy import MaskedPolicy
from .method import Method, TrainingContext, TrainingParts
from .policy_names import (
    EPISODES,
    GREEDY,
    GUARDED,
    MASKS,
    SAMPLED,
    UNTRAINED,
    Average,
    identity_of,
    metadata_of,
    split_name,
)

NO_TUNING: Final = "nothing"
META_TRAINED: Final = "nothing; meta-trained once"


def policy_method(name: str) -> Method:
    """Makes the method of a policy or of one of its controls.

    Args:
        name: The policy's name, or the path of its folder, and its control if any.
    """
    policy, kind = split_name(name)
    if kind in {average.value for average in Average}:
        return _average_schedule(policy, Average(kind))
    makers: Mapping[str, Callable[[TrainingContext], TrainingParts]] = {
        "": lambda it: with_ganno(it, policy),
        GREEDY: lambda it: with_ganno(it, policy, temperature=0.0),
        SAMPLED: lambda it: with_ganno(it, policy, temperature=1.0),
        UNTRAINED: partial(_early, policy, None),
        **{kind: partial(_early, policy, number) for kind, number in EPISODES.items()},
        GUARDED: lambda it: with_ganno(it, policy, guard=True),
        **{kind: partial(_masked, policy, entry) for kind, entry in MASKS.items()},
    }
    return Method(
        makers[kind],
        NO_TUNING if policy in BUILT_IN_POLICIES else META_TRAINED,
        reason_unavailable=lambda _: _reason_unavailable(
            policy, needs_agent=kind in (UNTRAINED, *EPISODES)
        ),
        identity=lambda: identity_of(policy),
    )


def with_ganno(
    context: TrainingContext, policy: str | Policy, guard: bool = False, **options: Any
) -> TrainingParts:
    """Combines Adam with the callback, which measures the held-out images."""
    ganno = GANNO(
        policy,
        validation_data=tuple(context.validation),
        seed=context.cell.seed,
        guard=guard,
        log_learning_rates=False,
        **options,
    )
    return TrainingParts(_adam(context), (ganno,))


def _masked(policy: str, entry: str, context: TrainingContext) -> TrainingParts:
    return with_ganno(context, MaskedPolicy(load_policy(policy), entry))


def _adam(context: TrainingContext) -> keras.optimizers.Optimizer:
    decay = context.cell.weight_decay
    if context.cell.initial_learning_rate is None:
        return keras.optimizers.Adam(
            weight_decay=decay
        )  # The callback replaces its rate.
    return keras.optimizers.Adam(context.rate, weight_decay=decay)


def _early(policy: str, episode: int | None, context: TrainingContext) -> TrainingParts:
    """Combines Adam with the agents of an episode, or with fresh ones."""
    # TF-Agents takes seconds to import, and only these controls need it.
    from .early_policies import policy_at_episode, untrained_policy  # noqa: PLC0415

    metadata = metadata_of(policy)
    early = (
        untrained_policy(metadata, context.cell.seed)
        if episode is None
        else policy_at_episode(metadata, episode)
    )
    # As in meta-training. The likeliest action of a fresh agent would be one arbitrary
    # action throughout.
    return with_ganno(context, early, temperature=1.0)


def _average_schedule(policy: str, average: Average) -> Method:
    def make(context: TrainingContext) -> TrainingParts:
        rates = average_rates(context.cell, policy, average)
        optimizer = _adam(context)
        start = metadata_of(policy).action_set.starting_point(
            float(optimizer.learning_rate),
            float(optimizer.weight_decay or 0.0),
            DEFAULT_LEARNING_RATE_BOUNDS,
        )
        return TrainingParts(optimizer, (AverageSchedule(rates, start),))

    def reason_unavailable(cell: Cell) -> str:
        return _reason_unavailable(policy) or missing_for_average(cell, policy, average)

    return Method(
        make,
        "nothing; other runs of the policy",
        reason_unavailable=reason_unavailable,
        identity=lambda: identity_of(policy),
        needs_results=True,
    )


def _reason_unavailable(policy: str, *, needs_agent: bool = False) -> str:
    try:
        metadata = metadata_of(policy)
    except ValueError as error:
        return str(error)
    if needs_agent and "configuration" not in metadata.trained_on:
        return f"The policy {policy!r} does not say with which agent it was trained."
    return ""
