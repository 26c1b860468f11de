# SPDX-License-Identifier: Apache-2.0
"""What an actor loses if it may not see some entries of the observation.

They are hidden from what it learns from, and from what it is judged on. Actors learn
from first decisions alone. They are judged there, and so each group can be masked more
than once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from agents.expert_training.configuration import RELATIVE, ExpertConfiguration
from agents.expert_training.pack_files import PlayedPack
from ganno_keras.control.observing.observations import ObservationSpec

from ..analysis.estimates import estimate
from ..records.results_file import RESULTS
from .cloned_actors import (
    PlayedTasks,
    cloned_actor,
    first_decision,
    gains_by_pack,
    tasks_of,
)
from .kernel_ridge import folds
from .resumed_rows import Row, as_columns, by_pack, rows_of, run_missing
from .table import LEFT_OUT, STATIC

PATH: Final = RESULTS / "looking" / "masks.jsonl"

GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "length of the training": ("progress", "num_updates", "epochs", "batch_size"),
    "size of the network": ("width", "num_layers", "fan_in"),
    "what is fresh": ("is_fresh", "trainable_share"),
    "kind and depth of the layer": ("layer_kind", "layer_depth"),
    "level of the losses": (
        "train_accuracy",
        "train_loss",
        "validation_accuracy",
        "validation_loss",
        "loss_is_not_finite",
        "accuracy_is_known",
        "validation_is_known",
    ),
    "slope and scatter of the loss": (
        "loss_slope",
        "loss_scatter",
        "loss_gap",
        "loss_change",
    ),
    "generalisation gap": ("generalisation_gap", "generalisation_gap_change"),
    "rates": ("learning_rate", "relative_rate", "trust_ratio", "update_norm"),
    "size of the weights": ("weight_variance", "weight_norm"),
    "drift of the weights": ("weight_drift",),
}
"""Entries that say the same kind of thing, by what that is."""
NOTHING: Final = "nothing"
BEFORE: Final = "all that is known before"
COURSE: Final = "all of the course"

NUM_FOLDS: Final = 4
NUM_DRAWS: Final = 1
"""Times that an actor learns with each mask, from other weights."""


def masks_of(configuration: ExpertConfiguration) -> dict[str, tuple[str, ...]]:
    """Returns what is masked, by name: nothing, each group, and large parts."""
    seen = _seen(configuration.environment.observation_spec)
    return {
        NOTHING: (),
        **GROUPS,
        BEFORE: tuple(name for name in seen if name in STATIC),
        COURSE: tuple(name for name in seen if name not in STATIC),
    }


def run_masks(
    packs: Sequence[PlayedPack],
    path: Path = PATH,
    masks: Mapping[str, tuple[str, ...]] | None = None,
    draws: int = NUM_DRAWS,
    configuration: ExpertConfiguration = RELATIVE,
) -> None:
    """Learns with each mask in each fold, where there is no row yet.

    Args:
        packs: A fold of them judges what was learned from the others.
        path: The results file.
        masks: Entries that are hidden, by name; all of `masks_of` by default.
        draws: Times that an actor learns with each mask.
        configuration: Of the meta-training.
    """
    masks = masks_of(configuration) if masks is None else masks
    tasks: dict[str, PlayedTasks] = {}

    def learn(masked: str, fold: int, draw: int, **_: int) -> Row:
        if masked not in tasks:
            tasks.clear()  # one mask at a time, as observations take memory
            tasks[masked] = tasks_of(packs, configuration, masks[masked])
        found = tasks[masked]
        kept, out = list(folds(found.packs, NUM_FOLDS))[fold]
        learned = [first_decision(it) for it in found.those(kept)]
        policy = cloned_actor(learned, configuration, draw)
        return as_columns(gains_by_pack(policy, found, out))

    run_missing(path, _keys(len(packs), masks, draws), learn)


def lines_of_masks(rows: Sequence[Row], num_packs: int) -> list[str]:
    """What each mask takes of the gain, in lines of text; the most costly come first.

    Args:
        rows: Of the results file; masks that lack a row of a pack are left out.
        num_packs: The rows of so many packs are taken.
    """
    own = [row for row in rows if row["of_packs"] == num_packs]
    names = dict.fromkeys(row["masked"] for row in own)
    gains = {
        name: by_pack([row for row in own if row["masked"] == name]) for name in names
    }
    whole = {name: it for name, it in gains.items() if len(it) == num_packs}
    if NOTHING not in whole:
        return ["too few rows yet"]
    seen_all = whole.pop(NOTHING)
    lost = {name: estimate(seen_all - it) for name, it in whole.items()}
    order = sorted(lost, key=lambda name: lost[name].value, reverse=True)
    return [
        f"gain over the no-op at the first decision: {estimate(seen_all)}",
        "what is lost of it if agents do not see",
        *(f"  {name}: {lost[name]}" for name in order),
    ]


def tell_masks(packs: Sequence[PlayedPack], path: Path = PATH) -> list[str]:
    """Learns what has no row yet, and returns the table."""
    run_masks(packs, path)
    return lines_of_masks(rows_of(path), len(packs))


def _seen(spec: ObservationSpec) -> list[str]:
    """Names the entries that agents see, and that differ at the first decision."""
    names = [entry.name for entry in spec.entries]
    return [it for it in names if it not in spec.masked and it not in LEFT_OUT]


def _keys(
    num_packs: int, masks: Mapping[str, Any], draws: int
) -> Iterator[dict[str, Any]]:
    """Names all rows, mask by mask; other packs have rows of their own."""
    for masked in masks:
        for draw in range(draws):
            for fold in range(min(NUM_FOLDS, num_packs)):
                yield {
                    "of_packs": num_packs,
                    "masked": masked,
                    "fold": fold,
                    "draw": draw,
                }
