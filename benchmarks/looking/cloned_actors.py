# SPDX-License-Identifier: Apache-2.0
"""Actors that learn from some played tasks, judged on packs that were left out.

They are judged at the first decision, where what each action comes to is known. An
agent's choice counts as if all layers had made it, as in cloning itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from agents.expert_training.configuration import ExpertConfiguration
from agents.expert_training.main_lines import GreedyPolicy
from agents.expert_training.pack_files import PlayedPack, labelled
from agents.learning.advantage_cloning import AdvantageCloner, LabelledTraining
from agents.learning.exported_policy import ExportedPolicy
from agents.learning.ppo_agent import new_agent

from .kernel_ridge import Array, Ints
from .played_packs import gains_of

FEWEST_UPDATES: Final = 200
"""Of the actor: few tasks make so few minibatches that their epochs teach nothing."""


class PlayedTasks(NamedTuple):
    """The tasks of some packs, one after the other."""

    trainings: list[LabelledTraining]
    gains: Array  # [num_tasks, num_actions], over the no-op, from the first decision on
    packs: Ints  # [num_tasks], the number of the pack

    def those(self, chosen: Ints) -> list[LabelledTraining]:
        """Returns what can be learned from some of them."""
        return [self.trainings[place] for place in chosen]


def tasks_of(
    packs: Sequence[PlayedPack],
    configuration: ExpertConfiguration,
    masked: Sequence[str] = (),
) -> PlayedTasks:
    """Gathers the tasks of all packs.

    Args:
        packs: As they were played.
        configuration: Of the meta-training.
        masked: Entries that agents do not see, beside those of the configuration.
    """
    environment = configuration.environment
    environment = dataclasses.replace(
        environment, masked=(*environment.masked, *masked)
    )
    spec = environment.observation_spec
    gains = [gains_of(pack) for pack in packs]
    return PlayedTasks(
        [
            training
            for pack in packs
            for training in labelled(pack.branches, spec, configuration.cloning)
        ],
        np.concatenate(gains),
        np.repeat(np.arange(len(packs)), [len(it) for it in gains]),
    )


def first_decision(training: LabelledTraining) -> LabelledTraining:
    """Returns what there is to learn at the first decision alone."""
    return LabelledTraining(
        training.observations[:1],
        training.moments[:1],
        training.are_acting[:1],
        training.advantages[:1],
    )


def cloned_actor(
    trainings: Sequence[LabelledTraining],
    configuration: ExpertConfiguration,
    seed: int,
) -> GreedyPolicy:
    """Learns an actor by cloning, for a number of epochs that nothing chooses.

    Args:
        trainings: What it learns from.
        configuration: Of the meta-training; there are more epochs where they have less
            than `FEWEST_UPDATES` minibatches.
        seed: Of its weights, and of the order of the minibatches.
    """
    agents = sum(training.observations.shape[1] for training in trainings)
    cloning = configuration.cloning
    updates = max(agents // cloning.batch_size, 1)
    epochs = max(cloning.epochs, -(-FEWEST_UPDATES // updates))
    agent = new_agent(configuration.environment, configuration.ppo, seed)
    cloner = AdvantageCloner(agent, dataclasses.replace(cloning, epochs=epochs))
    cloner.clone_all(trainings, np.random.default_rng(seed))
    num_features = configuration.environment.observation_spec.num_features
    return GreedyPolicy(ExportedPolicy(agent, num_features))


def gains_by_pack(
    policy: GreedyPolicy, tasks: PlayedTasks, out: Ints
) -> dict[int, float]:
    """Returns the mean gain of what agents choose at the first decision, by pack.

    Args:
        policy: Chooses.
        tasks: All tasks.
        out: The places of those that judge.
    """
    judges = [tasks.trainings[place] for place in out]
    seen = [it.observations[it.moments[0]] for it in judges]  # [num_agents, ...] each
    together = np.concatenate(seen)
    chosen, _ = policy.act(together, policy.initial_state(len(together)))
    ends = np.cumsum([len(it) for it in seen])[:-1]
    found: dict[int, list[float]] = {}
    for place, actions in zip(out, np.split(chosen, ends), strict=True):
        gain = float(tasks.gains[place, actions].mean())
        found.setdefault(int(tasks.packs[place]), []).append(gain)
    return {pack: float(np.mean(gains)) for pack, gains in found.items()}
