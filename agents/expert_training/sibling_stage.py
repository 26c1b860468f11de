# SPDX-License-Identifier: Apache-2.0
"""The stage after cloning: play siblings, learn from them, keep what does better.

What was played is kept in files. A run that was killed learns from them anew, which
takes little time, and plays what it lacks.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from tf_agents.agents.ppo import ppo_clip_agent
from tqdm import tqdm

from ganno_keras.control.action_sets import get_action_set

from ..common.atomic_files import write_json
from ..environment.branches import play
from ..environment.pack_trainings import PackTrainings
from ..learning.configuration import DIFFERENCE
from ..learning.exported_policy import ExportedPolicy
from ..learning.sibling_ppo import SiblingPPO
from ..tasks.task_packs import TaskPack
from .configuration import ExpertConfiguration
from .main_lines import GreedyPolicy, MainLines
from .noisy_policy import persistent_noise
from .pack_files import potentials, save_played, seconds_of
from .playing_siblings import play_siblings
from .siblings import Siblings, judged, load_siblings, save_siblings
from .silent_copies import NOBODY, num_acting, silent_agents

RECORD: Final = "ppo.json"
"""The file, in the folder of the run, with what PPO gained over the clone."""

_NOISE, _ORDER = 1, 2  # what is random in an iteration


class SiblingStage:
    """PPO on the actor of an agent that has cloned, iteration by iteration.

    Args:
        configuration: The meta-training.
        agent: Its actor is the clone, and changes.
        draw: Returns a pack, given its number, from 0, and the number of its tasks.
            None of its packs has been learned from.
        folder: Where siblings and the record are kept.
    """

    def __init__(
        self,
        configuration: ExpertConfiguration,
        agent: ppo_clip_agent.PPOClipAgent,
        draw: Callable[[int, int], TaskPack],
        folder: Path,
    ) -> None:
        self._configuration = configuration
        self._siblings = configuration.siblings
        self._draw = draw
        self._folder = folder
        self._ppo = SiblingPPO(agent, self._siblings)
        spec = configuration.environment.observation_spec
        self._policy = GreedyPolicy(ExportedPolicy(agent, spec.num_features))
        self._num_actions = get_action_set(
            configuration.environment.action_set
        ).num_actions
        self._iterations: list[dict[str, Any]] = []  # records of those learned from

    def run(self) -> None:
        """Plays what has not been played yet, and learns from it.

        Then greedy agents of clone and PPO play packs that nothing was learned from.
        The actor is the clone again if PPO does no better; the record has both figures.
        """
        for iteration in range(self._siblings.iterations):
            self.play(iteration)
        self._learn_before(self._siblings.iterations)
        found = self._compare()
        if found["gain"] <= 0.0:
            self._ppo.go_back()
        record = {
            "iterations": self._iterations,
            "held_out": found,
            "seconds": self._seconds(),
        }
        write_json(self._folder / RECORD, record)

    def play(self, iteration: int, part: int = 0, parts: int = 1) -> None:
        """Plays the packs of an iteration that have no file yet.

        The policy of the iterations before plays, which have to be complete.

        Args:
            iteration: Its number, from 0.
            part: Which of the packs, if several processes share them, from 0.
            parts: How many processes share them.
        """
        self._learn_before(iteration)
        packs = range(self._siblings.packs)[part::parts]
        for pack in tqdm(packs, unit="pack", desc=f"Siblings {iteration}"):
            path = self._pack_path(iteration, pack)
            if not path.exists():
                self._play_pack(iteration, pack, path)

    def _play_pack(self, iteration: int, pack: int, path: Path) -> None:
        started = time.monotonic()
        place = iteration * self._siblings.packs + pack
        drawn = self._draw(self._siblings.held_out_packs + place, self._siblings.tasks)
        siblings = self._siblings_of(drawn, self._random(iteration, pack, _NOISE))
        seconds = round(time.monotonic() - started, 1)
        save_siblings(path, siblings, drawn.record, seconds)

    def _siblings_of(self, drawn: TaskPack, random: np.random.Generator) -> Siblings:
        """Plays as many trainings of each task as configured, copies among them."""
        are_silent = self._are_silent(drawn)
        num_siblings = num_acting(self._siblings.siblings, len(are_silent) - 1)
        trainings = PackTrainings(
            drawn,
            self._configuration.environment,
            num_siblings * len(are_silent),
        )
        noise = persistent_noise(
            random,
            trainings.num_tasks * num_siblings,
            trainings.kinds,
            self._num_actions,
        )
        temperature = self._siblings.temperature
        return play_siblings(trainings, self._policy, noise, temperature, are_silent)

    def _are_silent(self, drawn: TaskPack) -> np.ndarray:
        """Returns who rests in a sibling, and in each of its copies if it has any.

        Which kinds of layers there are is known once the networks are made.
        """
        if self._siblings.reward != DIFFERENCE:
            return NOBODY
        kinds = PackTrainings(drawn, self._configuration.environment).kinds
        return silent_agents(kinds)

    def _learn_before(self, iteration: int) -> None:
        """Learns from all iterations before one that were not learned from yet."""
        for past in range(len(self._iterations), iteration):
            self._learn(past)

    def _learn(self, iteration: int) -> None:
        """Learns from the packs of an iteration, and from no others."""
        packs = [
            load_siblings(self._pack_path(iteration, pack))
            for pack in range(self._siblings.packs)
        ]
        trainings = [it for pack in packs for it in judged(pack, self._siblings)]
        epochs = self._ppo.learn(trainings, self._random(iteration, 0, _ORDER))
        values = [potentials(it.losses, it.errors) for it in packs]
        spreads = np.concatenate([it.std(axis=-1) for it in values])
        self._iterations.append(
            {
                "outcome": float(np.mean([it.mean() for it in values])),
                "spread_of_siblings": float(spreads.mean()),
                "epochs": epochs,
            }
        )

    def _compare(self) -> dict[str, Any]:
        """Returns what greedy agents of clone and PPO come to on packs of their own.

        Figures are -log error, or -log loss without an accuracy, averaged over the
        tasks of a pack and then over packs.
        """
        packs = range(self._siblings.held_out_packs)
        values = [
            self._outcomes(it) for it in tqdm(packs, unit="pack", desc="Held out")
        ]
        clone, ppo = np.transpose(values)
        gains = ppo - clone
        error = gains.std(ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else None
        gain = float(gains.mean())
        return {
            "clone": float(clone.mean()),
            "ppo": float(ppo.mean()),
            "gain": gain,
            "standard_error": error,
            "gains_by_pack": gains.tolist(),
            "kept": "ppo" if gain > 0.0 else "clone",
        }

    def _outcomes(self, pack: int) -> list[float]:
        """Returns the mean outcomes of the clone and of PPO on a held-out pack."""
        path = self._held_out_path(pack)
        if not path.exists():
            self._play_held_out(pack, path)
        with np.load(path) as arrays:
            values = potentials(arrays["losses"], arrays["errors"])
        return [float(it) for it in values.mean(axis=1)]

    def _play_held_out(self, pack: int, path: Path) -> None:
        started = time.monotonic()
        drawn = self._draw(pack, self._configuration.tasks)
        trainings = PackTrainings(drawn, self._configuration.environment)
        nothing_explored = np.full(trainings.num_trainings, -1)
        with self._ppo.cloned():
            clone = play(trainings, MainLines(self._policy, nothing_explored))
        ppo = play(trainings, MainLines(self._policy, nothing_explored))
        outcomes = {
            "losses": np.stack([clone.main_losses, ppo.main_losses]),
            "errors": np.stack([clone.main_errors, ppo.main_errors]),
        }
        seconds = round(time.monotonic() - started, 1)
        save_played(path, outcomes, drawn.record, seconds)

    def _random(self, iteration: int, pack: int, purpose: int) -> np.random.Generator:
        seeds = [self._configuration.seed, iteration, pack, purpose]
        return np.random.default_rng(seeds)

    def _seconds(self) -> float:
        """Returns the seconds that all packs took, over all processes."""
        siblings = [
            self._pack_path(iteration, pack)
            for iteration in range(self._siblings.iterations)
            for pack in range(self._siblings.packs)
        ]
        held_out = map(self._held_out_path, range(self._siblings.held_out_packs))
        return round(sum(map(seconds_of, [*siblings, *held_out])), 1)

    def _pack_path(self, iteration: int, pack: int) -> Path:
        return self._folder / f"siblings-{iteration}" / f"pack-{pack:03}.npz"

    def _held_out_path(self, pack: int) -> Path:
        return self._folder / "held-out" / f"pack-{pack:03}.npz"
