# SPDX-License-Identifier: Apache-2.0
"""Plays one drawn task: a main line, and branches from snapshots to the end."""

from __future__ import annotations

import time
from typing import Any, Final, NamedTuple

import keras
import numpy as np

from agents.environment.inner_trainings import write_weights
from agents.environment.lane_agents import LaneAgents, LaneSnapshot
from agents.tasks.drawn_data import (
    FROM_SCRATCH,
    OTHER_CLASSES,
    DrawnData,
    load_drawn_data,
)
from agents.tasks.drawn_tasks import NUM_TIMESTEPS, DrawnTask
from ganno_keras.control.actions import NO_OP

from ..plan import BRANCHES, NO_OP_BRANCH, SNAPSHOTS
from .compiled import CompiledTrainings

_DIGITS: Final = 6  # that a results file keeps


class Look(NamedTuple):
    """The main line at one moment."""

    snapshot: LaneSnapshot
    observation: np.ndarray  # [num_agents, num_features]


class Player:
    """Plays drawn tasks one after the other; each network is compiled once.

    Args:
        main_line: The place of the branch that the main line is on.
    """

    def __init__(self, main_line: int = NO_OP_BRANCH) -> None:
        self._main_line = main_line
        self._compiled: dict[tuple[str, str, int], CompiledTrainings] = {}

    def play(self, task: DrawnTask) -> dict[str, Any]:
        """Carries a task out, and returns its row of results."""
        started = time.perf_counter(), time.process_time()
        data = load_drawn_data(task.data)
        keras.utils.set_random_seed(_keras_seed(task))
        compiled = self._trainings(task, len(BRANCHES))
        model = compiled.new_model()
        is_pretrained = self._pretrain(task, data, model)
        episode = _Episode(
            compiled,
            compiled.begin(task, data.train, data.watched, model, is_pretrained),
            data,
            self._main_line,
        )
        snapshots = episode.play()
        return {
            "task": task.record,
            "main_line": self._main_line,
            "num_training_samples": len(data.train.targets),
            "layers": [group.kind for group in compiled.trainings.groups],
            "snapshots": snapshots,
            "seconds": round(time.perf_counter() - started[0], 1),
            "cpu_seconds": round(time.process_time() - started[1], 1),
        }

    def _trainings(self, task: DrawnTask, count: int) -> CompiledTrainings:
        key = (task.network, task.optimizer, count)
        if key not in self._compiled:
            self._compiled[key] = CompiledTrainings.of(task, count)
        return self._compiled[key]

    def _pretrain(
        self, task: DrawnTask, data: DrawnData, model: keras.Model
    ) -> list[bool]:
        """Pretrains a model; returns which of its layers are not fresh then."""
        if task.pretraining == FROM_SCRATCH:
            return []
        compiled = self._trainings(task, 1)
        updates = task.pretraining_updates // NUM_TIMESTEPS * NUM_TIMESTEPS
        agents = compiled.begin(
            task,
            data.pretraining,
            data.watched,
            compiled.new_model(),
            updates=updates,
        )
        _hold(agents, NO_OP, NUM_TIMESTEPS)
        has_new_head = task.pretraining == OTHER_CLASSES
        write_weights(compiled.trainings.snapshot(), 0, model, 2 * has_new_head)
        num_layers = len(compiled.trainings.groups)
        return [True] * (num_layers - has_new_head) + [False] * has_new_head


class _Episode:
    """One task in all lanes, its snapshots and its branches."""

    def __init__(
        self,
        compiled: CompiledTrainings,
        agents: LaneAgents,
        data: DrawnData,
        main_line: int,
    ) -> None:
        self._compiled, self._agents, self._data = compiled, agents, data
        self._main_line = main_line

    def play(self) -> list[dict[str, Any]]:
        """Returns what was observed at each snapshot, and what came of its branches."""
        action = BRANCHES[self._main_line].action
        observation = _hold(self._agents, action, SNAPSHOTS[0])
        looks = {SNAPSHOTS[0]: self._look(observation)}
        found = []
        for after in SNAPSHOTS:
            self._agents.restore(
                looks[after].snapshot, [self._main_line] * len(BRANCHES)
            )
            found.append(self._branch(after, looks))
        return found

    def _look(self, observation: np.ndarray) -> Look:
        by_lane = observation.reshape(len(BRANCHES), self._agents.num_agents, -1)
        return Look(self._agents.snapshot(), by_lane[self._main_line])

    def _branch(self, after: int, looks: dict[int, Look]) -> dict[str, Any]:
        """Holds an action in each lane to the end; takes later snapshots on the way."""
        actions = [[branch.action] * self._agents.num_agents for branch in BRANCHES]
        for timestep in range(after, NUM_TIMESTEPS):
            self._agents.act(np.array(actions), timestep / NUM_TIMESTEPS)
            result = self._agents.run(timestep)
            done = timestep + 1
            if len(looks) < len(SNAPSHOTS):
                observation = self._agents.observe(result, done / NUM_TIMESTEPS)
                if done in SNAPSHOTS:
                    looks[done] = self._look(observation)
        losses, errors = self._compiled.evaluate(self._data.held_out)
        self._compiled.watch(self._data.watched)
        return {
            "after": after,
            "observation": looks[after].observation.round(_DIGITS).tolist(),
            "losses": losses.round(_DIGITS).tolist(),
            "errors": errors.round(_DIGITS).tolist(),
        }


def _keras_seed(task: DrawnTask) -> int:
    return int(np.random.default_rng([task.seed, task.number, 1]).integers(2**31))


def _hold(agents: LaneAgents, action: int, number: int) -> np.ndarray:
    """Takes the first timesteps with one action; returns the last observation."""
    for timestep in range(number):
        if timestep:
            actions = np.full([len(agents.learning_rates), agents.num_agents], action)
            agents.act(actions, timestep / NUM_TIMESTEPS)
        result = agents.run(timestep)
        observation = agents.observe(result, (timestep + 1) / NUM_TIMESTEPS)
    return observation
