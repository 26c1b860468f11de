# SPDX-License-Identifier: Apache-2.0
"""The loop of meta-training: collect episodes, learn from them, save the result.

If the configuration asks for it, the learner clones demonstrations before the loop.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from ..collection.collector import start_collector
from ..collection.episode_plan import EpisodePlan
from ..learning.demonstrations import DemonstratedTask
from ..recipes.configuration import MetaTrainingConfiguration
from ..recipes.learners import new_learner
from .checkpoints import describe, explain_write_error
from .demonstration_files import (
    demonstration_of,
    load_demonstrations,
    save_demonstrations,
)
from .metrics import TensorBoard, in_short, learning_rates_of, prefixed, summary_of
from .run_folder import RunFolder
from .run_plot import draw_run


class DivergedError(ArithmeticError):
    """The learner's loss or weights are no longer finite numbers."""


class MetaTraining:
    """A resumable run: collect an episode on every task, learn from it, repeat.

    Args:
        configuration: The meta-training.
        folder: The run folder.
        num_collectors: Number of actors on Ray that play the episodes; 0 plays them in
            this process. The result does not depend on it.
        gpus_per_collector: GPUs, or a share of one, that Ray reserves for each actor.

    Raises:
        ValueError: If a task cannot be made, or the folder is damaged.
        OSError: If the folder cannot be written.
    """

    def __init__(
        self,
        configuration: MetaTrainingConfiguration,
        folder: RunFolder,
        num_collectors: int = 0,
        gpus_per_collector: float = 0.0,
    ) -> None:
        self.configuration = configuration
        self._folder = folder
        self._plan = EpisodePlan(configuration)
        self.learner = new_learner(configuration)
        self._collector = start_collector(
            configuration, self.learner, num_collectors, gpus_per_collector
        )
        try:
            folder.claim()
        except OSError:
            self._collector.close()
            raise
        self._iteration = tf.Variable(0, dtype=tf.int64)
        self._is_cloned = tf.Variable(not configuration.cloning.episodes)
        self._checkpoints = folder.checkpoints(
            tf.train.Checkpoint(
                agent=self.learner.state,
                iteration=self._iteration,
                is_cloned=self._is_cloned,
            )
        )
        self._tensorboard = TensorBoard(folder.tensorboard_path)

    @property
    def num_iterations(self) -> int:
        """Number of iterations that use up the budget of timesteps."""
        return self._plan.num_iterations

    def run(self) -> None:
        """Resumes from the last checkpoint, and runs to the end.

        Raises:
            DivergedError: If the learner's loss or weights are no longer finite.
            OSError: If the run folder cannot be written.
            ValueError: If the last checkpoint is damaged.
        """
        try:
            self._checkpoints.restore()
            start = int(self._iteration)
            with self._explain_write_error("The metrics"):
                self._folder.forget_metrics_from(start)
            if not self._is_cloned:
                self._clone()
            self._run_from(start)
        finally:
            self._collector.close()
        with self._explain_write_error("The picture of the run"):
            draw_run(self._folder.read_metrics(), self._folder.picture_path)

    def _clone(self) -> None:
        """Has the learner clone demonstrations.

        After a kill, those of one task at most are played again.
        """
        tasks = range(len(self.configuration.environment.tasks))
        bar = tqdm(tasks, unit="task", desc="Demonstrations")
        demonstrated = [self._demonstrations(task) for task in bar]
        demonstrations = [it for task in demonstrated for it in task.demonstrations]
        started = time.monotonic()
        outcome = self.learner.clone(
            demonstrations, np.random.default_rng(self.configuration.seed)
        )
        record = {
            "timesteps": sum(d.num_timesteps for d in demonstrations),
            **outcome,
            "seconds": round(
                sum(task.seconds for task in demonstrated) + time.monotonic() - started,
                3,
            ),
        }
        with self._explain_write_error("What was cloned"):
            self._folder.write_cloning(record)
        self._is_cloned.assign(True)
        self._checkpoints.save()

    def _demonstrations(self, task: int) -> DemonstratedTask:
        """Loads the demonstrations of a task, or plays and saves them."""
        path = self._folder.demonstrations_path(task)
        jobs = self._plan.demonstration_jobs(task)
        if path.exists():
            return load_demonstrations(path, jobs)
        started = time.monotonic()
        collected = self._collector.collect(jobs)
        played = DemonstratedTask(
            [demonstration_of(*both) for both in zip(jobs, collected, strict=True)],
            time.monotonic() - started,
        )
        with self._explain_write_error("Demonstrations"):
            save_demonstrations(path, played)
        return played

    def _run_from(self, start: int) -> None:
        with tqdm(total=self.num_iterations, initial=start, unit="iteration") as bar:
            for iteration in range(start, self.num_iterations):
                record = self._iterate(iteration)
                bar.set_postfix_str(in_short(record))
                bar.update()

    def _iterate(self, iteration: int) -> dict[str, Any]:
        started = time.monotonic()
        jobs = self._plan.training_jobs(iteration)
        collected = self._collector.collect(jobs)
        collection_seconds = time.monotonic() - started
        random = np.random.default_rng([self.configuration.seed, iteration])
        losses = self.learner.learn([c.trajectory for c in collected], random)
        self._require_sound(iteration, losses)
        learned = time.monotonic()
        evaluation = self._evaluate(iteration)
        tasks = self.configuration.environment.tasks
        record = {
            "iteration": iteration,
            "timesteps": self._plan.timesteps_through(iteration),
            **summary_of(collected),
            **losses,
            **evaluation,
            **learning_rates_of(jobs, collected, tasks),
            "collection_seconds": round(collection_seconds, 3),
            "learning_seconds": round(learned - started - collection_seconds, 3),
            "seconds": round(time.monotonic() - started, 3),
        }
        self._keep(iteration, record)
        return record

    def _evaluate(self, iteration: int) -> dict[str, float]:
        """Plays the evaluation episodes, the same ones each time."""
        summaries: dict[str, float] = {}
        for kind in ("greedy", "sampled"):
            jobs = self._plan.evaluation_jobs(iteration, greedy=kind == "greedy")
            if jobs:
                summary = summary_of(self._collector.collect(jobs))
                summaries |= prefixed(f"evaluation_{kind}", summary)
        return summaries

    def _require_sound(self, iteration: int, losses: Mapping[str, float]) -> None:
        if self.learner.is_sound(losses):
            return
        raise DivergedError(
            f"In iteration {iteration} the agent's loss became {losses['loss']}, with "
            "losses or weights that are no finite numbers. Nothing of this iteration "
            f"is kept. {describe(self._checkpoints.last)} The same command would fail "
            "again: lower ppo.learning_rate or ppo.gradient_norm in a new run folder."
        )

    def _keep(self, iteration: int, record: Mapping[str, Any]) -> None:
        with self._explain_write_error("The metrics"):
            self._folder.append_metrics(record)
            self._tensorboard.write(record)
        self._iteration.assign(iteration + 1)
        is_last = iteration + 1 == self.num_iterations
        if is_last or (iteration + 1) % self.configuration.checkpoint_every == 0:
            self._checkpoints.save()

    def _explain_write_error(self, what: str) -> AbstractContextManager[None]:
        return explain_write_error(what, self._checkpoints.last)
