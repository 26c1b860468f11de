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

from .lane_agents import LaneAgents
from .pack_trainings import HeldOut, PackTrainings

Chooser = Callable[[np.ndarray], np.ndarray]
"""Returns the actions of all agents, int `[num_tasks, num_agents]`, given their
observations, `[num_tasks, num_agents, num_features]`."""


class Branches(NamedTuple):
    """What was seen on the main line of each task of a pack, and what could follow."""

    observations: np.ndarray  # [num_decisions, num_tasks, num_agents, num_features]
    moments: np.ndarray  # int [num_moments], the decisions that were branched at
    losses: np.ndarray  # [num_moments, num_tasks, num_actions], of the held-out sample
    errors: np.ndarray  # [num_moments, num_tasks, num_actions], NaN without an accuracy
    main_losses: np.ndarray  # [num_tasks]
    main_errors: np.ndarray  # [num_tasks]


def play(
    trainings: PackTrainings,
    choose: Chooser,
    moments: Sequence[int] = (),
    num_actions: int = 0,
) -> Branches:
    """Plays the tasks of a pack to the end, then the branches from some moments.

    Args:
        trainings: The pack.
        choose: Acts on the main lines. It sees each decision once, in order.
        moments: Numbers of decisions, from 0, at which all actions are tried.
        num_actions: How many actions there are; each is held by all agents of a task.

    Paper: section 4 "Reward", whose no-op clone is the branch of one action.
    """
    agents = trainings.begin()
    snapshots, observations = {}, []
    for decision in range(trainings.num_decisions):
        observation = _advance(trainings, agents, decision)
        observations.append(observation)
        if decision in moments:
            snapshots[decision] = agents.snapshot()
        agents.act(choose(observation), trainings.progress(decision))
    agents.run(trainings.num_decisions)
    main = trainings.evaluate()
    tasks = range(len(main.losses))
    outcomes = []
    for moment in moments:
        for action in range(num_actions):
            agents.restore(snapshots[moment], tasks)
            outcomes.append(_hold(trainings, agents, action, moment))
    shape = (len(moments), num_actions, len(tasks))
    losses, errors = (
        np.reshape(values, shape).swapaxes(1, 2)
        for values in (
            [it.losses for it in outcomes],
            [it.errors for it in outcomes],
        )
    )
    return Branches(
        np.stack(observations), np.array(moments, np.int64), losses, errors, *main
    )


def _advance(trainings: PackTrainings, agents: LaneAgents, decision: int) -> np.ndarray:
    """Trains up to a decision; returns what agents see there, by task and agent."""
    result = agents.run(decision)
    seen = agents.observe(result, trainings.progress(decision))
    return seen.reshape(*agents.learning_rates.shape, -1)


def _hold(
    trainings: PackTrainings, agents: LaneAgents, action: int, moment: int
) -> HeldOut:
    """Takes one action at each decision from a moment on; returns what came of it."""
    actions = np.full(agents.learning_rates.shape, action)
    for decision in range(moment, trainings.num_decisions):
        agents.act(actions, trainings.progress(decision))
        agents.run(decision + 1)
    return trainings.evaluate()
