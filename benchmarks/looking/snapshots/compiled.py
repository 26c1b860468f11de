# SPDX-License-Identifier: Apache-2.0
"""Inner trainings of one network, compiled once for all tasks that are drawn on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import keras
import numpy as np

from agents.environment.changing_samples import changing, give
from agents.environment.configuration import EnvironmentConfiguration
from agents.environment.episodes import EpisodeName, draw_episode
from agents.environment.inner_trainings import InnerTrainings
from agents.environment.lane_agents import LaneAgents
from agents.tasks.configuration import TaskConfiguration
from agents.tasks.drawn_data import NUM_CLASSES
from agents.tasks.drawn_tasks import NETWORKS, NUM_TIMESTEPS, DrawnTask
from agents.tasks.models import build_model
from agents.tasks.objectives import find_objective
from agents.tasks.samples import Samples
from ganno_keras.control.observing.observation_entries import WITH_COURSE

from ..plan import ACTIONS

_SIDE: Final = 28  # pixels of an image before it is shrunk


class CompiledTrainings:
    """Some trainings side by side, of samples and starts that change.

    Args:
        task: Any task on the network.
        shrink: Width and height of the squares of pixels that are averaged first.
        num_trainings: How many there are.
    """

    def __init__(
        self, task: TaskConfiguration, shrink: int, num_trainings: int
    ) -> None:
        self._task = task
        self._shape = (_SIDE // shrink, _SIDE // shrink, 1)
        self._train, self._watched = (changing(_blank(self._shape)) for _ in range(2))
        make = type(keras.optimizers.get(task.optimizer))
        self._start: keras.Model | None = None
        self.trainings = InnerTrainings(
            self._model,
            make(**task.optimizer_options),
            num_trainings,
            self._train,
            self._watched,
            find_objective(task.objective),
        )

    @classmethod
    def of(cls, drawn: DrawnTask, num_trainings: int) -> CompiledTrainings:
        """Compiles what a drawn task is trained with."""
        shrink = NETWORKS[drawn.network].shrink
        return cls(drawn.configuration, shrink, num_trainings)

    def new_model(self) -> keras.Model:
        """Builds the network with weights of its initializers."""
        return build_model(
            self._task.model, self._shape, NUM_CLASSES, self._task.model_options
        )

    def begin(
        self,
        drawn: DrawnTask,
        train: Samples,
        watched: Samples,
        start: keras.Model,
        is_pretrained: Sequence[bool] = (),
        updates: int | None = None,
    ) -> LaneAgents:
        """Begins one training in all lanes, with the same minibatches to come.

        Args:
            drawn: What is trained.
            train: The samples to train on.
            watched: The held-out samples that agents see the loss of.
            start: Has the weights to begin with.
            is_pretrained: Whether each layer has been trained before.
            updates: How many, a multiple of the task's intervals; by default those of
                the task.
        """
        interval = (updates or drawn.num_updates) // NUM_TIMESTEPS
        task = drawn.configuration
        configuration = self._configuration(task, interval)
        give(self._train, train)
        self.watch(watched)
        self._start = start
        count = len(train.targets)
        lanes = self.trainings.num_trainings
        agents = LaneAgents(
            configuration,
            task,
            self.trainings,
            np.tile(is_pretrained, (lanes, 1)) if is_pretrained else None,
        )
        name = EpisodeName(drawn.seed, 0, drawn.number)
        agents.begin(draw_episode(name, configuration, task, count))
        agents.restore(agents.snapshot(), [0] * self.trainings.num_trainings)
        return agents

    def _configuration(
        self, task: TaskConfiguration, interval: int
    ) -> EnvironmentConfiguration:
        return EnvironmentConfiguration(
            tasks=(task,),
            num_environments=self.trainings.num_trainings,
            interval=interval,
            reward="potential",
            action_set=ACTIONS.name,
            observation_version=WITH_COURSE,
            masked=(),
            learning_rate_bounds=(0.0, 1000.0),
            initial_learning_rate=(1e-3, 1e-3),
            initial_weight_decay=(1e-2, 1e-2),
        )

    def watch(self, samples: Samples) -> None:
        """Makes samples those that trainings are evaluated on."""
        give(self._watched, samples)

    def evaluate(self, samples: Samples) -> tuple[np.ndarray, np.ndarray]:
        """Returns loss and error of each training on samples, `[num_trainings]`."""
        self.watch(samples)
        losses, accuracies = self.trainings.evaluate().numpy().astype(np.float64)
        return losses, 1.0 - accuracies

    def _model(self) -> keras.Model:
        """Returns what a training starts from; all lanes start from the same."""
        return self._start or self.new_model()


def _blank(shape: tuple[int, ...]) -> Samples:
    """One sample of each training before any was given."""
    return Samples(np.zeros([1, *shape], np.float32), np.zeros([1], np.int32))
