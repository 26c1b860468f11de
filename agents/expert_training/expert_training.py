# SPDX-License-Identifier: Apache-2.0
"""The loop of meta-training by branches: play packs, clone advantages, play again.

PPO may come last; see sibling_stage.py.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tf_agents.agents.ppo import ppo_clip_agent
from tqdm import tqdm

from ganno_keras.policies.metadata import PolicyMetadata
from ganno_keras.policies.saved_policy import save_policy

from ..common.atomic_files import write_json, write_whole
from ..common.provenance import provenance
from ..learning.advantage_cloning import AdvantageCloner, LabelledTraining
from ..learning.exported_policy import ExportedPolicy
from ..learning.policy_files import copy_beside, description_of
from ..learning.ppo_agent import new_agent
from ..tasks.task_packs import draw_pack
from .configuration import ExpertConfiguration
from .pack_files import PlayedPack, labelled, load_pack, save_pack, seconds_of
from .pack_players import PackPlayers
from .sibling_stage import RECORD, SiblingStage


class ExpertTraining:
    """A resumable run: each round plays packs by the policy so far, and learns anew.

    Args:
        configuration: The meta-training.
        folder: Where packs and records are kept. The same folder resumes the run.
        players: They play the packs.
        packs_folder: That of another run, whose packs are taken instead.

    Raises:
        ValueError: If the folder belongs to a run of another configuration.
    """

    def __init__(
        self,
        configuration: ExpertConfiguration,
        folder: Path,
        players: PackPlayers,
        packs_folder: Path | None = None,
    ) -> None:
        self._configuration = configuration
        self._folder = folder
        self._packs_folder = packs_folder or folder
        self._players = players
        self._agent: ppo_clip_agent.PPOClipAgent | None = None
        self._policy: ExportedPolicy | None = None
        self._cloning_seconds: dict[int, float] = {}  # by round
        self._claim()

    def run(self) -> ExportedPolicy:
        """Plays what has not been played yet, and returns the policy of the end."""
        for number in range(self._configuration.rounds):
            self.play(number)
            self._learn(number)
        if self._configuration.siblings.iterations:
            self._stage().run()
        if self._policy is None:
            raise RuntimeError("No round was played, so there is no policy.")
        return self._policy

    def play(self, number: int, part: int = 0, parts: int = 1) -> None:
        """Plays the packs of a round that have no file yet.

        The policy of the rounds before plays, which have to be complete.

        Args:
            number: Of the round; after the last one come the iterations of siblings.
            part: Which of the packs, if several processes share them, from 0.
            parts: How many processes share them.

        Raises:
            ValueError: If there is no such round or iteration.
        """
        rounds = self._configuration.rounds
        iterations = self._configuration.siblings.iterations
        if number >= rounds + iterations:
            raise ValueError(
                f"Round {number} is to be played; there are {rounds} of them, from 0, "
                f"and then {iterations} iterations of siblings. Choose one of these."
            )
        if number and self._policy is None:
            self._learn(min(number, rounds) - 1)
        if number >= rounds:
            self._stage().play(number - rounds, part, parts)
            return
        packs = range(self._configuration.packs)[part::parts]
        paths = {pack: self._pack_path(number, pack) for pack in packs}
        there = sum(path.exists() for path in paths.values())
        missing = (pack for pack, path in paths.items() if not path.exists())
        for pack in tqdm(
            self._players.play(number, missing, self._policy),
            desc=f"Round {number}",
            total=len(paths),
            initial=there,
            unit="pack",
        ):
            save_pack(paths[pack.number], pack.played)

    def export(self, policy: ExportedPolicy, directory: Path) -> PolicyMetadata:
        """Saves the policy with its provenance, and beside it what was recorded.

        Raises:
            ValueError: If the directory exists.
        """
        configuration = self._configuration
        description = description_of(
            configuration.name,
            configuration.environment,
            sampled=False,
            trained_on={
                "configuration": dataclasses.asdict(configuration),
                **provenance(),
                "seconds": self._seconds(),
            },
            acts_without_end=False,  # all drawn tasks have an end that is known
        )
        saved = save_policy(policy, description, directory)
        last = self._cloning_path(configuration.rounds - 1)
        copy_beside(last, directory, ".cloning.json")
        copy_beside(self._folder / RECORD, directory, ".ppo.json")
        return saved

    def _stage(self) -> SiblingStage:
        """Returns what comes after the last round, on packs that no round has."""
        if self._agent is None:
            raise RuntimeError("No round was learned from, so there is no clone.")
        configuration = self._configuration
        first = configuration.rounds * configuration.packs
        return SiblingStage(
            configuration,
            self._agent,
            lambda number, num_tasks: draw_pack(
                configuration.seed, first + number, num_tasks, configuration.datasets
            ),
            self._folder,
        )

    def _learn(self, number: int) -> None:
        """Clones the advantages of all rounds so far, with a fresh actor."""
        started = time.monotonic()
        configuration = self._configuration
        agent = new_agent(
            configuration.environment, configuration.ppo, configuration.seed
        )
        played = [
            self._labelled(load_pack(self._pack_path(past, pack)))
            for past in range(number + 1)
            for pack in range(configuration.packs)
        ]
        count = max(round(len(played) * configuration.held_out_share), 1)
        random = np.random.default_rng([configuration.seed, number])
        order = random.permutation(len(played))
        kept, held_out = (
            [it for place in places for it in played[place]]
            for places in (order[count:], order[:count])
        )
        record = AdvantageCloner(agent, configuration.cloning).clone(
            kept, held_out, random
        )
        write_json(self._cloning_path(number), record)
        spec = configuration.environment.observation_spec
        self._agent = agent
        self._policy = ExportedPolicy(agent, spec.num_features)
        self._cloning_seconds[number] = round(time.monotonic() - started, 1)

    def _labelled(self, pack: PlayedPack) -> Sequence[LabelledTraining]:
        configuration = self._configuration
        spec = configuration.environment.observation_spec
        return labelled(pack.branches, spec, configuration.cloning)

    def _cloning_path(self, number: int) -> Path:
        return self._folder / f"cloning-{number}.json"

    def _pack_path(self, number: int, pack: int) -> Path:
        return self._packs_folder / f"round-{number}" / f"pack-{pack:03}.npz"

    def _seconds(self) -> dict[str, float]:
        """Returns the seconds of each stage; those of packs over all processes.

        What PPO took is in its own record.
        """
        packs = range(self._configuration.packs)
        found = {
            f"round {number}": round(
                sum(seconds_of(self._pack_path(number, it)) for it in packs), 1
            )
            for number in range(self._configuration.rounds)
        }
        cloning = {f"cloning {it}": s for it, s in self._cloning_seconds.items()}
        return {**found, **cloning}

    def _claim(self) -> None:
        path = self._folder / "configuration.json"
        if not path.exists():
            write_whole(path, self._configuration.to_json())
            return
        theirs = ExpertConfiguration.load(path)
        if theirs != self._configuration:
            raise ValueError(
                f"{self._folder} holds a run of another configuration than "
                f"{self._configuration.name!r}. Choose another folder, or resume with "
                f"--configuration {path}."
            )
