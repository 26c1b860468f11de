# SPDX-License-Identifier: Apache-2.0
"""The inner trainings of a pack: one lane for each of its tasks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Final, NamedTuple

import keras
import numpy as np

from ganno_keras.control.actions import NO_OP
from ganno_keras.control.anchor.weight_groups import weight_groups

from ..tasks.adapted_models import add_low_rank, scale_weights
from ..tasks.drawn_data import FROM_SCRATCH, OTHER_CLASSES, load_drawn_data
from ..tasks.models import build_model
from ..tasks.objectives import find_objective
from ..tasks.samples import Samples
from ..tasks.task_packs import TaskPack
from .changing_samples import changing, give
from .configuration import EnvironmentConfiguration
from .episodes import EpisodeDraw, EpisodeName, draw_episode
from .inner_trainings import InnerTrainings, TrainingsSnapshot, write_weights
from .lane_agents import LaneAgents
from .lane_networks import MappedNetworks, UnrolledNetworks

NUM_WATCHED: Final = 200
"""Samples of a task that agents see the loss of."""
NUM_HELD_OUT: Final = 2000
"""Samples that the outcome of a task is measured on."""

_PRETRAINING_DECISIONS: Final = 9
_PRETRAINING: Final = 1  # the number of an episode; that of the training is 0


class HeldOut(NamedTuple):
    """What came of each training, on held-out samples that no agent sees."""

    losses: np.ndarray  # [num_trainings]
    errors: np.ndarray  # [num_trainings], NaN where there is no accuracy


class PackTrainings:
    """The tasks of a pack, side by side, with networks that are pretrained in part.

    Args:
        pack: What was drawn.
        environment: What agents see and do. Tasks, number of trainings and interval
            are those of the pack.
        copies: Trainings of each task, side by side: siblings, which begin alike and
            see the same minibatches. With the same actions they stay equal, but for
            how the end of an array is rounded.
    """

    def __init__(
        self,
        pack: TaskPack,
        environment: EnvironmentConfiguration,
        copies: int = 1,
    ) -> None:
        self._pack = pack
        self._copies = copies
        self._environment = dataclasses.replace(
            environment,
            tasks=(pack.configuration,),
            num_environments=len(pack.data) * copies,
            interval=pack.interval,
        )
        self._data = [load_drawn_data(draw) for draw in pack.data]
        self._shape = self._data[0].train.input_shape
        self._train = changing(self._data[0].train)
        self._own = _side_by_side([it.watched for it in self._data], NUM_WATCHED)
        self._next_start: Callable[[], keras.Model] = self._new_model
        self._pretraining = self._new_trainings()
        self._trainings = self._pretraining
        if pack.low_rank or copies > 1:  # other networks, or more of them
            self._next_start = lambda: self._adapted(self._new_model())
            self._trainings = self._new_trainings(copies)

    @property
    def kinds(self) -> list[str]:
        """The kinds of the layers, in the order of the agents of a task."""
        return [group.kind for group in self._trainings.groups]

    @property
    def num_tasks(self) -> int:
        """Tasks of the pack."""
        return len(self._pack.data)

    @property
    def num_trainings(self) -> int:
        """Trainings side by side; those of the first task come first."""
        return self.num_tasks * self._copies

    @property
    def num_decisions(self) -> int:
        """Decisions in each training, which has one interval more."""
        return self._pack.decisions

    def progress(self, decision: int) -> float:
        """Returns the share of the planned updates before a decision, from 0."""
        return (decision + 1) / (self._pack.planned_decisions + 1)

    def begin(self) -> LaneAgents:
        """Pretrains the networks that are to be, and begins all trainings.

        Each call begins the same trainings.

        Raises:
            ValueError: If the lanes of the network cannot be an axis of the arrays.
        """
        keras.utils.set_random_seed(self._name(0, 0).keras_seed())
        models = [self._new_model() for _ in self._pack.data]
        is_pretrained = self._pretrain(models)
        give(self._train, _pool([it.train for it in self._data]))
        agents = LaneAgents(
            self._environment,
            self._pack.configuration,
            self._trainings,
            np.repeat(is_pretrained, self._copies, axis=0),
        )
        draw = self._draw(0, self._environment, "train")
        tasks = np.repeat(range(self.num_tasks), self._copies).tolist()
        starts = [self._adapted(model) for model in models]
        self._begin_at([starts[it] for it in tasks], agents, draw.of(tasks))
        return agents

    def evaluate(self) -> HeldOut:
        """Returns what came of the trainings so far."""
        held_out = _side_by_side([it.held_out for it in self._data], NUM_HELD_OUT)
        give(self._watched, _repeated(held_out, self._copies))
        losses, accuracies = self._trainings.evaluate().numpy().astype(np.float64)
        give(self._watched, _repeated(self._own, self._copies))
        return HeldOut(losses, 1.0 - accuracies)

    def _pretrain(self, models: Sequence[keras.Model]) -> np.ndarray:
        """Pretrains some of the models; returns which of their layers are not fresh."""
        kinds = [draw.pretraining for draw in self._pack.data]
        is_chosen = np.array([kind != FROM_SCRATCH for kind in kinds])
        has_new_head = np.array([kind == OTHER_CLASSES for kind in kinds])
        groups = weight_groups(self._trainings.groups)
        is_pretrained = np.tile(is_chosen[:, None], (1, len(groups)))
        is_pretrained[:, [it.is_low_rank for it in groups]] = False
        is_pretrained[has_new_head, -1] = False
        if is_chosen.any():
            snapshot = self._pretrained()
            for lane, model in enumerate(models):
                if is_chosen[lane]:
                    write_weights(snapshot, lane, model, 2 * int(has_new_head[lane]))
        return is_pretrained

    def _pretrained(self) -> TrainingsSnapshot:
        """Trains new networks on what comes before the tasks."""
        updates = self._pack.pretraining_updates
        environment = dataclasses.replace(
            self._environment,
            num_environments=self.num_tasks,  # siblings have it in common
            interval=updates // (_PRETRAINING_DECISIONS + 1),
        )
        task = dataclasses.replace(
            self._pack.configuration, timesteps=_PRETRAINING_DECISIONS
        )
        give(self._train, _pool([it.pretraining for it in self._data]))
        agents = LaneAgents(environment, task, self._pretraining)
        draw = self._draw(_PRETRAINING, environment, "pretraining", task.timesteps)
        self._begin_at([self._new_model() for _ in self._pack.data], agents, draw)
        for timestep in range(task.timesteps + 1):
            if timestep:
                no_ops = np.full(agents.learning_rates.shape, NO_OP)
                agents.act(no_ops, timestep / (task.timesteps + 1))
            agents.run(timestep)
        return self._pretraining.snapshot()

    def _begin_at(
        self, models: Sequence[keras.Model], agents: LaneAgents, draw: EpisodeDraw
    ) -> None:
        """Begins trainings with the weights of these models, one for each."""
        starts = cycle(models)
        self._next_start = lambda: next(starts)
        agents.begin(draw)

    def _draw(
        self,
        episode: int,
        environment: EnvironmentConfiguration,
        part: str,
        timesteps: int | None = None,
    ) -> EpisodeDraw:
        """Draws the minibatches of all tasks, each from its own part of the pool."""
        alone = dataclasses.replace(environment, num_environments=1)
        task = dataclasses.replace(
            self._pack.configuration,
            timesteps=timesteps or self._pack.planned_decisions,
        )
        draws, first = [], 0
        for number, data in enumerate(self._data):
            count = len(getattr(data, part).targets)
            draw = draw_episode(self._name(number, episode), alone, task, count)
            draws.append(draw._replace(indices=draw.indices + np.int32(first)))
            first += count
        return EpisodeDraw.joined(draws)

    def _name(self, task: int, episode: int) -> EpisodeName:
        seeds = np.random.SeedSequence([self._pack.seed, self._pack.number])
        return EpisodeName(int(seeds.generate_state(1)[0]), task, episode)

    def _new_start(self) -> keras.Model:
        return self._next_start()

    def _new_trainings(self, copies: int = 1) -> InnerTrainings:
        """Makes trainings of the networks that come next, some of each task."""
        pack = self._pack
        make = type(keras.optimizers.get(pack.optimizer))
        # Of the last ones made, which are the ones that are evaluated.
        self._watched = changing(_repeated(self._own, copies), axis=1)
        return InnerTrainings(
            self._new_start,
            make(**pack.configuration.optimizer_options),
            len(pack.data) * copies,
            self._train,
            self._watched,
            find_objective(pack.objective),
            MappedNetworks if pack.maps_lanes else UnrolledNetworks,
        )

    def _adapted(self, model: keras.Model) -> keras.Model:
        """Changes a network to what is trained of it."""
        if self._pack.weight_scale != 1.0:
            scale_weights(model, self._pack.weight_scale)
        if self._pack.low_rank:
            add_low_rank(model, self._pack.low_rank, kept=[_head(model)])
        return model

    def _new_model(self) -> keras.Model:
        """Builds the network with weights of its initializers."""
        outputs = max(part.num_outputs for data in self._data for part in data)
        pack = self._pack
        return build_model(pack.model, self._shape, outputs, pack.model_options)


def _head(model: keras.Model) -> keras.Layer:
    """The last layer with weights."""
    return [layer for layer in model.layers if layer.weights][-1]


def _pool(samples: Sequence[Samples]) -> Samples:
    """Joins the samples of all tasks, one after the other."""
    return Samples(*map(np.concatenate, zip(*samples, strict=True)))


def _side_by_side(samples: Sequence[Samples], most: int) -> Samples:
    """Stacks the first samples of all tasks, as many as each of them has."""
    count = min(most, *(len(it.targets) for it in samples))
    each = zip(*samples, strict=True)
    return Samples(*(np.stack([it[:count] for it in values]) for values in each))


def _repeated(samples: Samples, copies: int) -> Samples:
    """Repeats the samples of each task for its siblings."""
    return Samples(*(np.repeat(values, copies, axis=0) for values in samples))
