# SPDX-License-Identifier: Apache-2.0
"""The folder of one meta-training: configuration, checkpoints and metrics."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from .configuration import MetaTrainingConfiguration
from .provenance import provenance


class RunFolder:
    """Everything that a run leaves on disk, safe to kill at any moment.

    Args:
        path: The folder; it is made if it does not exist.
        configuration: Of the run. A folder of another configuration is refused.

    Raises:
        ValueError: If the folder belongs to a run of another configuration.
    """

    def __init__(self, path: Path, configuration: MetaTrainingConfiguration) -> None:
        self.path = path
        self._claim(configuration)

    @property
    def metrics_path(self) -> Path:
        """One JSON object a line, one line an iteration."""
        return self.path / "metrics.jsonl"

    @property
    def tensorboard_path(self) -> Path:
        """Event files."""
        return self.path / "tensorboard"

    def _claim(self, configuration: MetaTrainingConfiguration) -> None:
        description = self.path / "configuration.json"
        if not description.exists():
            self.path.mkdir(parents=True, exist_ok=True)
            description.write_text(configuration.to_json(), encoding="utf-8")
            origin = json.dumps(provenance(), indent=2)
            (self.path / "provenance.json").write_text(origin, encoding="utf-8")
            return
        if MetaTrainingConfiguration.load(description) != configuration:
            raise ValueError(
                f"{self.path} holds a run of another configuration than "
                f"{configuration.name!r}. Choose another folder, or resume with the "
                "configuration.json in it."
            )

    def checkpoint_manager(
        self, checkpoint: tf.train.Checkpoint
    ) -> tf.train.CheckpointManager:
        """Keeps the last two checkpoints; a new one appears only when it is whole."""
        return tf.train.CheckpointManager(
            checkpoint, str(self.path / "checkpoints"), max_to_keep=2
        )

    def account(self) -> dict[str, Any]:
        """What was run, with which code, and how long it took."""
        text = (self.path / "provenance.json").read_text(encoding="utf-8")
        metrics = self.read_metrics()
        return {
            **json.loads(text),
            "timesteps": metrics[-1]["timesteps"] if metrics else 0,
            "seconds": round(sum(record["seconds"] for record in metrics)),
        }

    def append_metrics(self, record: Mapping[str, Any]) -> None:
        """Adds one line."""
        with self.metrics_path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(record) + "\n")

    def read_metrics(self) -> list[dict[str, Any]]:
        """All whole lines; a last line that a kill cut short is left out."""
        if not self.metrics_path.exists():
            return []
        lines = self.metrics_path.read_text(encoding="utf-8").split("\n")
        return [json.loads(line) for line in lines[:-1]]

    def forget_metrics_from(self, iteration: int) -> None:
        """Drops the lines of iterations that are about to be done again."""
        kept = [m for m in self.read_metrics() if m["iteration"] < iteration]
        text = "".join(json.dumps(record) + "\n" for record in kept)
        temporary = self.metrics_path.with_suffix(".tmp")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(self.metrics_path)
