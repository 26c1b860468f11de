# SPDX-License-Identifier: Apache-2.0
"""Fitting the trainings, and one line on disk for each fit."""

from __future__ import annotations

import json
import logging
import math
import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import keras
import numpy as np

from ganno_keras import GANNO

from ..methods.policy_names import FLAGSHIP
from . import again, changing, custom, diverging, plain, skewed
from .case import Case, Maker

RESULTS: Final = Path(__file__).parents[1] / "results" / "guard" / "trainings.jsonl"

DIVERGING: Final = "diverging"

TRAININGS: Final[Mapping[str, Mapping[str, Maker]]] = {
    "skewed": skewed.TRAININGS,
    "noisy": plain.TRAININGS,
    "changing": changing.TRAININGS,
    "returned": custom.TRAININGS,
    "again": again.TRAININGS,
    DIVERGING: diverging.TRAININGS,
}
"""All trainings by group and name; those of every group but the last are sound."""

OFF: Final = "off"
"""The name of the guard that is off."""


class Version(NamedTuple):
    """A guard, and what sets the rates where a training does not say.

    Args:
        guard: `OFF`, or the name of a version of the guard.
        policy: A policy's name.
    """

    guard: str
    policy: str = FLAGSHIP


class Run(NamedTuple):
    """One fit of one training.

    Args:
        guard: `OFF`, or the name of a version of the guard.
        group: A key of `TRAININGS`.
        training: A key of that group.
        seed: Of data, weights and order.
        policy: What sets the rates where the training does not say.
    """

    guard: str
    group: str
    training: str
    seed: int
    policy: str = FLAGSHIP


def planned(version: Version, seeds: int, word: str = "") -> Iterator[Run]:
    """All fits with the guard, a seed after the other.

    Args:
        version: The guard and the policy.
        seeds: How many of each.
        word: Only trainings with this in their group or name.
    """
    for seed in range(seeds):
        for group, trainings in TRAININGS.items():
            for name in trainings:
                if word in f"{group}: {name}":
                    yield Run(version.guard, group, name, seed, version.policy)


def needs_comparison(record: Mapping[str, Any]) -> bool:
    """Whether the fit without the guard may differ, or is asked for anyway.

    A guard that never returns changes no bit of a fit, which other tests promise.
    """
    return bool(record["returns"]) or record["group"] == DIVERGING


def carry_out(run: Run) -> dict[str, Any]:
    """Fits a training and returns its record."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(run.seed)
    make = TRAININGS[run.group][run.training]
    case = make(np.random.default_rng(run.seed))
    before = case.score()
    started = time.perf_counter()
    returns, decisions = _fit(case, run)
    seconds = time.perf_counter() - started
    return {
        **run._asdict(),
        "loss_before": _number(before),
        "loss": _number(case.score()),
        "returns": returns,
        "decisions": decisions,
        "seconds": round(seconds, 2),
    }


def _fit(case: Case, run: Run) -> tuple[int, int]:
    """Fits, and counts returns and decisions of all fits together."""
    options = {"policy": run.policy, **case.ganno}
    ganno = GANNO(guard=run.guard != OFF, seed=run.seed, **options)
    callbacks = [ganno, *case.callbacks]
    logging.getLogger("ganno_keras").setLevel(logging.ERROR)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        returns = decisions = 0
        for _ in range(case.num_fits):
            case.model.fit(case.x, case.y, verbose=0, callbacks=callbacks, **case.fit)
            returns += len(ganno.history.guard_events)
            decisions += len(ganno.history.timesteps)
    return returns, decisions


def _number(loss: float) -> float | None:
    """A number for a file, in six digits; None if it is not finite."""
    return float(f"{loss:.6g}") if math.isfinite(loss) else None


def read(path: Path = RESULTS) -> dict[Run, dict[str, Any]]:
    """All records by run; a last line that was cut short is left out."""
    if not path.exists():
        return {}
    lines = path.read_text("utf-8").split("\n")[:-1]
    records = [json.loads(line) for line in lines]
    return {_run_of(record): record for record in records}


def _run_of(record: Mapping[str, Any]) -> Run:
    return Run(**{name: record[name] for name in Run._fields if name in record})


def append(record: Mapping[str, Any], path: Path = RESULTS) -> None:
    """Adds a record; an earlier broken last line is removed first."""
    whole = path.read_bytes() if path.exists() else b""
    whole = whole[: whole.rfind(b"\n") + 1]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(whole + json.dumps(record).encode() + b"\n")
