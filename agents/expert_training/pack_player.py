# SPDX-License-Identifier: Apache-2.0
"""Plays a pack of a meta-training by branches, the same in any process."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ganno_keras.control.action_sets import get_action_set

from ..environment.branches import Moment, play
from ..environment.pack_trainings import PackTrainings
from ..learning.exported_policy import ExportedPolicy
from ..tasks.task_packs import TaskPack, draw_pack
from .configuration import ExpertConfiguration
from .main_lines import GreedyPolicy, MainLines, drawn_actions
from .pack_files import PlayedPack

DrawPack = Callable[..., TaskPack]
"""Draws a pack as `draw_pack` does, with the same arguments."""


class NumberedPack(NamedTuple):
    """A pack that was played, and its number in the round."""

    number: int
    played: PlayedPack


class PackPlayer:
    """Draws packs and plays their branches; chance follows from their numbers.

    Args:
        configuration: The meta-training.
        draw: Draws a pack.
    """

    def __init__(
        self, configuration: ExpertConfiguration, draw: DrawPack = draw_pack
    ) -> None:
        self._configuration = configuration
        self._draw = draw
        self._num_actions = get_action_set(
            configuration.environment.action_set
        ).num_actions

    def play(
        self, number: int, pack: int, policy: ExportedPolicy | None
    ) -> NumberedPack:
        """Plays a pack of a round.

        Args:
            number: Of the round.
            pack: Its number in the round.
            policy: Acts on the main lines; None for the no-op.
        """
        started = time.monotonic()
        drawn = self._drawn(number, pack)
        random = np.random.default_rng([self._configuration.seed, number, pack])
        explored = drawn_actions(
            random,
            len(drawn.data),
            self._num_actions,
            self._configuration.explored_share,
        )
        trainings = PackTrainings(drawn, self._configuration.environment)
        moments = self._draw_moments(random, trainings)
        greedy = GreedyPolicy(policy) if policy else None
        branches = play(
            trainings, MainLines(greedy, explored), moments, self._num_actions
        )
        seconds = round(time.monotonic() - started, 1)
        return NumberedPack(pack, PlayedPack(branches, drawn.record, seconds))

    def _drawn(self, number: int, pack: int) -> TaskPack:
        """Draws a pack, another one in each round."""
        configuration = self._configuration
        place = number * configuration.packs + pack
        return self._draw(
            configuration.seed, place, configuration.tasks, configuration.datasets
        )

    def _draw_moments(
        self, random: np.random.Generator, trainings: PackTrainings
    ) -> list[Moment]:
        """Draws when branches begin: at the first decision, and at some later ones.

        At some of the later ones the layers of one kind act, and no others.
        """
        share = self._configuration.one_kind_share
        later = random.permutation(np.arange(1, trainings.num_decisions))
        moments = [Moment(0)]
        for decision in later[: self._configuration.later_moments].tolist():
            kind = str(random.choice(sorted(set(trainings.kinds))))
            moments.append(Moment(decision, kind if random.random() < share else ""))
        return moments
