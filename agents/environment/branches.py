# SPDX-License-Identifier: Apache-2.0
"""Counterfactual branches: what each action would come to, from one moment on.

The paper compares a training with its no-op clone. Here every action has such a clone,
which holds the action to the end. All of them have the weights, the slots, the moving
statistics and the minibatches to come of one training. So their outcomes differ by the
actions alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ganno_keras.control.actions import NO_OP

from .lane_agents import LaneAgents
from .pack_trainings import HeldOut, PackTrainings

Chooser = Callable[[np.ndarray], np.ndarray]
"""Returns the actions of all agents, int `[num_tasks, num_agents]`, given their
observations, `[num_tasks, num_agents, num_features]`."""


class Branches(NamedTuple):
    """What was seen on the main line of each task of a pack, and what could follow."""

    observations: np.ndarray  # [num_decisions, num_tasks, num_agents, num_features]
    moments: np.ndarray  # int [num_moments], the decisions that were branched at
    are_acting: np.ndarray  # bool [num_moments, num_agents]; the others took the no-op
    losses: np.ndarray  # [num_moments, num_tasks, num_actions], of the held-out sample
    errors: np.ndarray  # [num_moments, num_tasks, num_actions], NaN without an accuracy
    main_losses: np.ndarray  # [num_tasks]
    main_errors: np.ndarray  # [num_tasks]


class Moment(NamedTuple):
    """Where branches begin, and who acts in them."""

    decision: int  # from 0
    kind: str = ""  # of the layers whose agents act; all of them if it is empty

    def are_acting(self, kinds: Sequence[str]) -> list[bool]:
        """Returns whether each layer's agent acts, given the kinds of the layers."""
        return [self.kind in ("", kind) for kind in kinds]


def play(
    trainings: PackTrainings,
    choose: Chooser,
    moments: Sequence[Moment] = (),
    num_actions: int = 0,
) -> Branches:
    """Plays the tasks of a pack to the end, then the branches from some moments.

    Args:
        trainings: The pack.
        choose: Acts on the main lines. It sees each decision once, in order.
        moments: When all actions are tried, and by the agents of which layers.
        num_actions: How many actions there are; each is held to the end.

    Paper: section 4 "Reward", whose no-op clone is the branch of one action.
    """
    agents = trainings.begin()
    snapshots, observations = {}, []
    for decision in range(trainings.num_decisions):
        observation = _advance(trainings, agents, decision)
        observations.append(observation)
        if any(it.decision == decision for it in moments):
            snapshots[decision] = agents.snapshot()
        agents.act(choose(observation), trainings.progress(decision))
    agents.run(trainings.num_decisions)
    main = trainings.evaluate()
    tasks = range(len(main.losses))
    are_acting = [it.are_acting(trainings.kinds) for it in moments]
    outcomes = []
    for moment, acting in zip(moments, are_acting, strict=True):
        for action in range(num_actions):
            agents.restore(snapshots[moment.decision], tasks)
            actions = np.where(acting, action, NO_OP)
            outcomes.append(_hold(trainings, agents, actions, moment.decision))
    shape = (len(moments), num_actions, len(tasks))
    losses, errors = (
        np.reshape(values, shape).swapaxes(1, 2)
        for values in (
            [it.losses for it in outcomes],
            [it.errors for it in outcomes],
        )
    )
    return Branches(
        np.stack(observations),
        np.array([it.decision for it in moments], np.int64),
        np.array(are_acting, bool).reshape(len(moments), len(trainings.kinds)),
        losses,
        errors,
        *main,
    )


def _advance(trainings: PackTrainings, agents: LaneAgents, decision: int) -> np.ndarray:
    """Trains up to a decision; returns what agents see there, by task and agent."""
    result = agents.run(decision)
    seen = agents.observe(result, trainings.progress(decision))
    return seen.reshape(*agents.learning_rates.shape, -1)


def _hold(
    trainings: PackTrainings, agents: LaneAgents, actions: np.ndarray, first: int
) -> HeldOut:
    """Takes the same actions at each decision from one on; returns what came of it.

    Args:
        trainings: The pack.
        agents: As they were before the first of these decisions.
        actions: Of the agents of each task, int `[num_agents]`.
        first: Number of that decision.
    """
    of_all = np.broadcast_to(actions, agents.learning_rates.shape)
    for decision in range(first, trainings.num_decisions):
        agents.act(of_all, trainings.progress(decision))
        agents.run(decision + 1)
    return trainings.evaluate()
