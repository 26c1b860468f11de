# SPDX-License-Identifier: Apache-2.0
"""Meta-training: teaches one shared policy to set the learning rates of layers.

    python -m agents.meta_train --configuration paper --run-folder runs/paper \
        --export saved_policies/ganno-paper

The same command resumes a run that was killed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from tqdm import tqdm

from .collection import CollectedEpisode, collect_episode
from .configuration import MetaTrainingConfiguration
from .environment import build_environments
from .ppo_agent import Learner, SeededPolicy, build_agent
from .publish import publish_policy
from .recipes import find_configuration
from .run_folder import RunFolder


class MetaTraining:
    """A resumable run: collect an episode on every task, learn from it, repeat.

    Args:
        configuration: What to do.
        folder: Where it is kept.
    """

    def __init__(
        self, configuration: MetaTrainingConfiguration, folder: RunFolder
    ) -> None:
        self.configuration = configuration
        self._folder = folder
        self._environments = build_environments(
            configuration.environment, configuration.seed
        )
        # Of the agent's networks, which are of the legacy Keras.
        tf_keras.utils.set_random_seed(configuration.seed)
        first = self._environments[0]
        self.agent = build_agent(
            first.time_step_spec(), first.action_spec(), configuration.ppo
        )
        self._policy = SeededPolicy(self.agent.collect_policy)
        self._learner = Learner(self.agent, configuration.ppo)
        self._iteration = tf.Variable(0, dtype=tf.int64)
        self._manager = folder.checkpoint_manager(
            tf.train.Checkpoint(agent=self.agent, iteration=self._iteration)
        )
        self._writer = tf.summary.create_file_writer(str(folder.tensorboard_path))

    @property
    def timesteps_per_iteration(self) -> int:
        """Decisions taken in one iteration, summed over the inner trainings."""
        environment = self.configuration.environment
        return environment.num_environments * sum(
            task.timesteps for task in environment.tasks
        )

    @property
    def num_iterations(self) -> int:
        """Iterations until the budget of timesteps is used."""
        return -(-self.configuration.timesteps // self.timesteps_per_iteration)

    def run(self) -> None:
        """Goes on from the last checkpoint to the end."""
        self._resume()
        start = int(self._iteration)
        with tqdm(total=self.num_iterations, initial=start, unit="iteration") as bar:
            for iteration in range(start, self.num_iterations):
                record = self._iterate(iteration)
                bar.set_postfix_str(
                    f"return {record['return']:.3f} "
                    f"accuracy {record['validation_accuracy']:.4f}"
                )
                bar.update()

    def _resume(self) -> None:
        if self._manager.latest_checkpoint:
            # The optimizer makes its variables at its first step, and takes them then.
            restored = self._manager.checkpoint.restore(self._manager.latest_checkpoint)
            restored.expect_partial()
        self._folder.forget_metrics_from(int(self._iteration))

    def _iterate(self, iteration: int) -> dict[str, Any]:
        started = time.monotonic()
        collected = [
            collect_episode(environment, self._policy, iteration)
            for environment in self._environments
        ]
        collection_seconds = time.monotonic() - started
        random = np.random.default_rng([self.configuration.seed, iteration])
        losses = self._learner.learn([c.trajectory for c in collected], random)
        record = {
            "iteration": iteration,
            "timesteps": (iteration + 1) * self.timesteps_per_iteration,
            **_summary(collected),
            **losses,
            "collection_seconds": round(collection_seconds, 3),
            "seconds": round(time.monotonic() - started, 3),
        }
        self._keep(iteration, record)
        return record

    def _keep(self, iteration: int, record: dict[str, Any]) -> None:
        self._folder.append_metrics(record)
        with self._writer.as_default(step=record["timesteps"]):
            for name, value in record.items():
                if isinstance(value, float):
                    tf.summary.scalar(name, value)
        self._iteration.assign(iteration + 1)
        is_last = iteration + 1 == self.num_iterations
        if is_last or (iteration + 1) % self.configuration.checkpoint_every == 0:
            self._manager.save()


def _summary(collected: list[CollectedEpisode]) -> dict[str, float]:
    accuracies = np.concatenate([c.outcome.validation_accuracy for c in collected])
    losses = np.concatenate([c.outcome.validation_loss for c in collected])
    returns = np.concatenate([c.episode_return for c in collected])
    rates = np.concatenate([c.learning_rates.ravel() for c in collected])
    return {
        "return": float(np.mean(returns)),
        "validation_accuracy": float(np.mean(accuracies)),
        "worst_validation_accuracy": float(np.min(accuracies)),
        "validation_loss": float(np.mean(losses)),
        "final_learning_rate": float(np.median(rates)),
    }


def _refuse_existing(directory: Path | None) -> None:
    """Hours of training are not to end at a folder that may not be written."""
    if directory and directory.exists():
        raise ValueError(
            f"--export {directory} exists already; a policy is written to a new "
            "folder only. Choose another name, or remove the old policy first."
        )


def main(command_line: Sequence[str] | None = None) -> None:
    """Reads the command line and runs.

    Raises:
        ValueError: If something is wrong that can be known before training.
    """
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--configuration",
        required=True,
        help="a recipe's name (paper, first, ...) or a JSON file",
    )
    parser.add_argument("--run-folder", type=Path, required=True)
    parser.add_argument("--export", type=Path, help="folder of the finished policy")
    arguments = parser.parse_args(command_line)
    _refuse_existing(arguments.export)
    # Several small models side by side use the cores better than several threads
    # inside each of their operations.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    configuration = find_configuration(arguments.configuration)
    folder = RunFolder(arguments.run_folder, configuration)
    training = MetaTraining(configuration, folder)
    training.run()
    if arguments.export:
        publish_policy(training.agent, configuration, folder, arguments.export)


if __name__ == "__main__":
    main()
