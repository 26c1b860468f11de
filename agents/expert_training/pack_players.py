# SPDX-License-Identifier: Apache-2.0
"""Who plays the packs of a round: this process, or several on Ray."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from ..collection.collector_options import require_possible_collectors
from ..learning.exported_policy import ExportedPolicy
from ..tasks.task_packs import draw_pack
from .configuration import ExpertConfiguration
from .pack_player import DrawPack, NumberedPack, PackPlayer


class PackPlayers(Protocol):
    """Those that play the packs of a round."""

    def play(
        self, number: int, packs: Iterable[int], policy: ExportedPolicy | None
    ) -> Iterator[NumberedPack]:
        """Plays packs and yields each once it is played, in any order.

        Args:
            number: Of the round.
            packs: Their numbers in the round.
            policy: Acts on the main lines; None for the no-op.
        """
        ...

    def close(self) -> None:
        """Releases everything that the players hold."""
        ...


class LocalPlayers:
    """One player, in this process.

    Args:
        configuration: The meta-training.
        draw: Draws a pack.
    """

    def __init__(
        self, configuration: ExpertConfiguration, draw: DrawPack = draw_pack
    ) -> None:
        self._player = PackPlayer(configuration, draw)

    def play(
        self, number: int, packs: Iterable[int], policy: ExportedPolicy | None
    ) -> Iterator[NumberedPack]:
        """Plays one pack after the other."""
        for pack in packs:
            yield self._player.play(number, pack, policy)

    def close(self) -> None:
        """Does nothing: there is nothing to release."""


def start_players(
    configuration: ExpertConfiguration,
    num_collectors: int,
    gpus_per_collector: float = 0.0,
) -> PackPlayers:
    """Starts those that play the packs of a run.

    Args:
        configuration: The meta-training.
        num_collectors: Number of actors on Ray; 0 for this process alone.
        gpus_per_collector: GPUs, or a share of one, that Ray reserves for each actor.

    Raises:
        ValueError: If a number is negative, or GPUs are set aside for no actor.
        ImportError: If Ray is needed and not installed.
    """
    require_possible_collectors(num_collectors, gpus_per_collector)
    if num_collectors == 0:
        return LocalPlayers(configuration)
    from .ray_players import RayPlayers  # noqa: PLC0415 - an extra

    return RayPlayers(configuration, num_collectors, gpus_per_collector)
