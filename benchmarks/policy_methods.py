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
from pathlib import Path
from typing import Any, Final

import keras

from ganno_keras import GANNO
from ganno_keras._locations import policies_directory
from ganno_keras.actions import DEFAULT_LEARNING_RATE_BOUNDS
from ganno_keras.base_schedule import BaseSchedule
from ganno_keras.observations import ObservationSpec
from ganno_keras.policies import Policy, load_policy
from ganno_keras.policies.metadata import PolicyMetadata
from ganno_keras.policies.registry import describe_policy

from .cells import Cell, Row, Rows, accuracy_by_seed, seeds_of
from .masked_policy import MaskedPolicy
from .methods import Ingredients, Method, Situation
from .replay import Average, Replay, average_rates, missing_for_average
from .statistics import PairedRuns

NO_TUNING: Final = "nothing; meta-trained once"

GREEDY: Final = "greedy"
SAMPLED: Final = "sampled"
UNTRAINED: Final = "untrained"
GUARDED: Final = "guarded"
CONTROLS: Final = (
    GREEDY,
    SAMPLED,
    UNTRAINED,
    GUARDED,
    *(average.value for average in Average),
)

MASKS: Final[Mapping[str, str]] = {
    f"without {entry.name}": entry.name
    for entry in ObservationSpec(num_actions=1).entries
}
"""The entry of the observation that each kind of blindness hides."""


def control(policy: str, kind: str) -> str:
    """The name of a control of a policy.

    Example:

        >>> control("ganno-first", GREEDY)
        'ganno-first, greedy'
    """
    return f"{policy}, {kind}"


def split_name(method: str) -> tuple[str, str]:
    """The policy and the kind of control, which is empty for the policy itself.

    Example:

        >>> split_name("ganno-first, averaged by layer")
        ('ganno-first', 'averaged by layer')
    """
    policy, comma, kind = method.rpartition(", ")
    is_known = kind in CONTROLS or kind in MASKS
    return (policy, kind) if comma and is_known else (method, "")


def canonical_name(policy: str) -> str:
    """The name of a shipped policy, also where its folder was given.

    Example:

        >>> canonical_name(f"{policies_directory()}/ganno-first")
        'ganno-first'
        >>> canonical_name("hf://owner/name")
        'hf://owner/name'
    """
    folder = Path(policy)
    is_shipped = folder.resolve().parent == policies_directory().resolve()
    return folder.name if "/" in policy and is_shipped else policy


def as_kept(cell: Cell) -> Cell:
    """The cell under which a result is kept, and found again.

    A policy whose actions start from a schedule of their own does the same from every
    initial rate: one training without a rate stands for all of them.

    Example:

        >>> as_kept(Cell("cnn2-embedded", "base-schedule", 0.01, 0.1, seed=0))[1:3]
        ('base-schedule', None)
        >>> as_kept(Cell("cnn2-embedded", "cosine", 0.01, 0.1, seed=0))[1:3]
        ('cosine', 0.01)
    """
    starts_itself = has_own_start(cell.method)
    return cell._replace(initial_learning_rate=None) if starts_itself else cell


def has_own_start(method: str) -> bool:
    """Whether it is a policy that does the same from every initial rate."""
    policy, _ = split_name(method)
    try:
        return base_schedule_of(policy) is not None
    except ValueError:  # No policy, or none that is there.
        return False


def base_schedule_of(policy: str) -> BaseSchedule | None:
    """What the policy's actions start from, if that is not the optimizer's rate.

    Raises:
        ValueError: If there is no such policy.
    """
    return _metadata(policy).action_set.base


def runs_of(rows: Rows, cell: Cell) -> list[Row]:
    """The results of a cell with any seed, under whatever cell they are kept."""
    return seeds_of(rows, as_kept(cell))


def paired_runs(rows: Rows, ours: Cell, theirs: Cell) -> PairedRuns:
    """The accuracies of two cells, with the seeds that both have been run with."""
    our_runs, their_runs = (
        accuracy_by_seed(runs_of(rows, cell)) for cell in (ours, theirs)
    )
    return PairedRuns.of([our_runs], their_runs)


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
    from agents.untrained import untrained_policy  # noqa: PLC0415

    return untrained_policy(_metadata(policy), seed)


def _replay(policy: str, average: Average) -> Method:
    def make(situation: Situation) -> Ingredients:
        rates = average_rates(situation.cell, policy, average)
        action_set = _metadata(policy).action_set
        first_rate = action_set.first_rate(DEFAULT_LEARNING_RATE_BOUNDS)
        replay = Replay(rates, first_rate, action_set.first_decay)
        return Ingredients(_adam(situation), (replay,))

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
        metadata = _metadata(policy)
    except ValueError as error:
        return str(error)
    if needs_agent and "configuration" not in metadata.trained_on:
        return f"The policy {policy!r} does not say with which agent it was trained."
    return ""


def _identity(policy: str) -> dict[str, Any]:
    digest = _metadata(policy).digest
    return {"policy": digest} if digest else {}


def _metadata(policy: str) -> PolicyMetadata:
    return describe_policy(policy)
