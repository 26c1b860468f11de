# SPDX-License-Identifier: Apache-2.0
"""The folder of one run: configuration, provenance, checkpoints and metrics."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from ..common.atomic_files import write_json, write_whole
from ..common.provenance import provenance
from ..recipes.configuration import MetaTrainingConfiguration
from .checkpoints import Checkpoints


class RunFolder:
    """The files of a run, which is safe to kill at any moment.

    Nothing is written before `claim`, so a run that cannot begin leaves no folder.

    Args:
        path: The folder.
        configuration: The run's. A folder of another configuration is refused.

    Raises:
        ValueError: If the folder belongs to a run of another configuration.
    """

    def __init__(self, path: Path, configuration: MetaTrainingConfiguration) -> None:
        self.path = path
        self._configuration = configuration
        self._refuse_other_configuration()

    @property
    def metrics_path(self) -> Path:
        """File of the metrics: one JSON object a line, one line an iteration."""
        return self.path / "metrics.jsonl"

    @property
    def cloning_path(self) -> Path:
        """File with the results of cloning, if there was any."""
        return self.path / "cloning.json"

    def demonstrations_path(self, task: int) -> Path:
        """Returns the file of a task's demonstrations, which only exists complete."""
        return self.path / "demonstrations" / f"task-{task}.npz"

    @property
    def tensorboard_path(self) -> Path:
        """Folder of the event files."""
        return self.path / "tensorboard"

    @property
    def picture_path(self) -> Path:
        """Picture of the metrics, drawn once the run is finished."""
        return self.path / "run.png"

    @property
    def _description(self) -> Path:
        return self.path / "configuration.json"

    def claim(self) -> None:
        """Writes configuration and provenance to the folder, if it is new.

        Raises:
            OSError: If the folder cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            write_whole(self.path / ".writable", "")
            (self.path / ".writable").unlink()
            if not self._description.exists():
                write_json(self.path / "provenance.json", provenance())
                write_whole(self._description, self._configuration.to_json())
        except OSError as error:
            raise OSError(
                f"The run folder {self.path} cannot be written: {error}. Choose "
                "another one, or make room and give yourself the right to write there."
            ) from error

    def checkpoints(self, state: tf.train.Checkpoint) -> Checkpoints:
        """Returns the checkpoints that the run can resume from."""
        return Checkpoints(state, self.path / "checkpoints")

    def provenance(self) -> dict[str, Any]:
        """Returns commit, library versions, timesteps and seconds of the run so far."""
        text = (self.path / "provenance.json").read_text(encoding="utf-8")
        metrics = self.read_metrics()
        cloning = self._read_cloning()
        learned = metrics[-1]["timesteps"] if metrics else 0
        return {
            **json.loads(text),
            "timesteps": learned + cloning["timesteps"],
            "seconds": round(sum(r["seconds"] for r in [cloning, *metrics])),
        }

    def write_cloning(self, record: Mapping[str, Any]) -> None:
        """Writes the returns of the demonstrations and the losses of cloning."""
        write_json(self.cloning_path, record)

    def _read_cloning(self) -> dict[str, Any]:
        if not self.cloning_path.exists():
            return {"timesteps": 0, "seconds": 0.0}
        record: dict[str, Any] = json.loads(
            self.cloning_path.read_text(encoding="utf-8")
        )
        return record

    def append_metrics(self, record: Mapping[str, Any]) -> None:
        """Appends one line to the metrics."""
        with self.metrics_path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(record) + "\n")

    def read_metrics(self) -> list[dict[str, Any]]:
        """Reads all complete lines; a kill may have cut the last one short."""
        if not self.metrics_path.exists():
            return []
        lines = self.metrics_path.read_text(encoding="utf-8").split("\n")
        return [json.loads(line) for line in lines[:-1]]

    def forget_metrics_from(self, iteration: int) -> None:
        """Drops the lines of iterations that are about to be repeated."""
        kept = [m for m in self.read_metrics() if m["iteration"] < iteration]
        text = "".join(json.dumps(record) + "\n" for record in kept)
        write_whole(self.metrics_path, text)

    def _refuse_other_configuration(self) -> None:
        if not self._description.exists():
            return
        theirs = MetaTrainingConfiguration.load(self._description)
        if theirs == self._configuration:
            return
        differing = ", ".join(
            _differences(
                dataclasses.asdict(theirs), dataclasses.asdict(self._configuration)
            )
        )
        raise ValueError(
            f"{self.path} holds a run of another configuration than "
            f"{self._configuration.name!r}: {differing} differ. Choose another folder, "
            f"or resume with --configuration {self._description}."
        )


def _differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Names the fields that differ; a dot leads to those within a record."""
    names = []
    for key in one:
        if isinstance(one[key], dict) and isinstance(other[key], dict):
            names += [f"{key}.{name}" for name in _differences(one[key], other[key])]
        elif one[key] != other[key]:
            names.append(key)
    return names
