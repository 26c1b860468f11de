# SPDX-License-Identifier: Apache-2.0
"""Plays trainings under a policy, and each of their spikes once more without it.

    python -m benchmarks.spikes --policy ganno-paper --trainings 20

A training has as many updates as the one of the paper's Figure 3. Where a layer's rate
has a spike, a branch of the training goes on in which that layer takes the no-op
instead. It has the same weights, minibatches and random numbers. If it is killed, it
loses the trainings in work; the same command resumes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from agents.common.threads import use_one_thread
from ganno_keras.comparison.lines_file import append_line, whole_lines
from ganno_keras.policies import load_policy
from ganno_keras.policies.policy import Policy

from ..methods.policy_names import canonical_name, identity_of
from ..records.provenance import provenance
from ..records.results_file import RESULTS, only_writer
from .finding import BEFORE, FALLING, Spike, spikes_of
from .trainings import Course, PolicyTrainings

FOLDER: Final = RESULTS / "spikes"
SIDE_BY_SIDE: Final = 4
NUM_DECISIONS: Final = 300
WATCHED: Final = 30
"""Decisions of a branch. The layer takes the no-op in the first `FALLING` of them."""
DIGITS: Final = 7
"""After the point: more than accuracies have, and enough for the lowest rates."""

Row = dict[str, Any]


def results_path(policy: str) -> Path:
    """The results file of a policy: one line for some trainings side by side."""
    return FOLDER / f"{Path(policy).name}.jsonl"


def rows_of(policy: str) -> list[Row]:
    """All whole rows."""
    return [json.loads(line) for line in whole_lines(results_path(policy))]


def run(name: str, num_trainings: int, num_decisions: int = NUM_DECISIONS) -> None:
    """Plays the trainings that have no result yet, some side by side.

    Raises:
        RuntimeError: If another run writes to the file, or it holds results of another
            policy of that name.
    """
    policy = load_policy(name)
    path = results_path(name)
    with only_writer(path):
        rows = rows_of(name)
        if any(row["definition"] != identity_of(name) for row in rows):
            raise RuntimeError(
                f"{path.name} has trainings under another policy of that name. Remove "
                "the file to measure this one."
            )
        done = {row["episode"] for row in rows}
        for episode in range(-(-num_trainings // SIDE_BY_SIDE)):
            if episode not in done:
                row = play(policy, episode, num_decisions)
                made = {"definition": identity_of(name), "made_by": provenance()}
                append_line(path, {"episode": episode, **row, **made})
                print(f"episode {episode}: {len(row['spikes'])} spikes", flush=True)


def play(policy: Policy, episode: int, num_decisions: int) -> Row:
    """Plays some trainings side by side, and the branch of each spike."""
    course = PolicyTrainings(policy, SIDE_BY_SIDE, num_decisions).play(episode)
    spikes = spikes_of(course.rates)
    branch = PolicyTrainings(policy, 1, num_decisions)
    return {
        "updates": branch.num_updates,
        "num_trainings": SIDE_BY_SIDE,
        "accuracy": _rounded(course.accuracies.T),
        "rates": _rounded(course.rates.transpose(1, 2, 0)),
        "spikes": list(_branches(branch, course, spikes)),
    }


def _branches(
    branch: PolicyTrainings, course: Course, spikes: Sequence[Spike]
) -> Iterator[Row]:
    num_layers = course.rates.shape[-1]
    for spike in spikes:
        first = spike.decision
        watched = min(WATCHED, len(course.moments) - first - 1)
        held = FALLING * (np.arange(num_layers) == spike.layer)[None]
        moment = course.moments[first]
        without = branch.go_back(moment, [spike.training], first, watched, held)
        after = course.accuracies[first + 1 : first + 1 + watched, spike.training]
        before = course.accuracies[first - BEFORE : first + 1, spike.training]
        yield {
            **spike._asdict(),
            "before": _rounded(before),
            "with": _rounded(after),
            "without": _rounded(without[:, 0]),
        }


def _rounded(values: np.ndarray) -> Any:
    return np.round(values.astype(float), DIGITS).tolist()


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spikes")
    parser.add_argument("--policy", default="ganno-paper", help="a name or a folder")
    parser.add_argument("--trainings", type=int, default=20, help="how many")
    options = parser.parse_args(arguments)
    use_one_thread()
    run(canonical_name(options.policy), options.trainings)


if __name__ == "__main__":
    main()
