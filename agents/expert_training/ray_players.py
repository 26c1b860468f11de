# SPDX-License-Identifier: Apache-2.0
"""Plays the packs of a round in several processes on Ray.

Packs come back to the process that asked for them, and it alone writes files. So the
actors need not see its disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ..collection.ray_actors import ActorProcess, RayActors, note_idle_actors, to_all
from ..learning.exported_policy import ExportedPolicy
from ..learning.ppo_agent import new_agent
from ..tasks.task_packs import draw_pack
from .configuration import ExpertConfiguration
from .pack_player import DrawPack, NumberedPack, PackPlayer

Weights = list[np.ndarray]


class RayPlayers:
    """Actors that share the packs of a round.

    Args:
        configuration: The meta-training.
        num_actors: Number of actors. More than a round has packs are idle.
        gpus_per_actor: GPUs that Ray reserves for each actor, 0 for none.
        draw: Draws a pack.

    Raises:
        ValueError: If there are not enough GPUs.
    """

    def __init__(
        self,
        configuration: ExpertConfiguration,
        num_actors: int,
        gpus_per_actor: float = 0.0,
        draw: DrawPack = draw_pack,
    ) -> None:
        given = [configuration, draw]
        self._shared = RayActors(_Actor, given, num_actors, gpus_per_actor)
        note_idle_actors(
            num_actors, configuration.packs, "Raise packs to give them work."
        )

    @property
    def actors(self) -> list[Any]:
        """The actors, as Ray knows them."""
        return self._shared.actors

    def play(
        self, number: int, packs: Iterable[int], policy: ExportedPolicy | None
    ) -> Iterator[NumberedPack]:
        """Plays packs and yields each once it is played, in any order.

        Raises:
            RuntimeError: If the actor of a pack keeps dying.
        """
        weights = to_all(policy and [it.numpy() for it in policy.weights])
        return self._shared.results(
            lambda actor, pack: actor.play.remote(number, pack, weights),
            packs,
            as_they_come=True,
        )

    def close(self) -> None:
        """Stops the actors, and Ray if it was started for them."""
        self._shared.close()


class _Actor(ActorProcess):
    """A player, and the policy that acts for it, in a process of their own."""

    def __init__(self, configuration: ExpertConfiguration, draw: DrawPack) -> None:
        super().__init__()
        self._player = PackPlayer(configuration, draw)
        environment = configuration.environment
        self._policy = ExportedPolicy(
            new_agent(environment, configuration.ppo, configuration.seed),
            environment.observation_spec.num_features,
        )

    def play(self, number: int, pack: int, weights: Weights | None) -> NumberedPack:
        """Plays one pack; a policy of these weights acts, if there are any."""
        if weights is None:
            return self._player.play(number, pack, None)
        for variable, value in zip(self._policy.weights, weights, strict=True):
            variable.assign(value)
        return self._player.play(number, pack, self._policy)
