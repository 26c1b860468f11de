# SPDX-License-Identifier: Apache-2.0
"""What happened in a fit, in about ten lines."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Final

import numpy as np

from ganno_keras.control.history import GannoHistory
from ganno_keras.control.layer_kinds import LAYER_KINDS
from ganno_keras.summaries.tables import Table, paragraph

SAME: Final = 0.05
"""Rates that differ by less than this share are shown as one."""


class FitSummary:
    """What happened in a fit: layers, rates by kind, decays, guard and cost.

    It is text for `print` and in a console, and a table in a notebook.

    Args:
        history: The record of the fit, or of the one that is running.

    Raises:
        ValueError: If nothing was trained.
    """

    def __init__(self, history: GannoHistory) -> None:
        if not history.facts.kinds:
            raise ValueError(
                "There is nothing to sum up: GANNO has controlled no fit yet. Call "
                "summary after model.fit(..., callbacks=[ganno])."
            )
        self._history = history
        self._facts = history.facts

    def __str__(self) -> str:
        lines = [self._headline(), self._layers(), self._rates().as_text("  ")]
        return "\n".join([*lines, *self._notes()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Returns what a notebook shows."""
        above = f"{self._headline()} {self._layers()}"
        notes = "".join(f"<li>{line}</li>" for line in map(escape, self._notes()))
        return paragraph(above) + self._rates().as_html() + f"<ul>{notes}</ul>"

    # ------------------------------------------------------------ parts

    def _headline(self) -> str:
        facts, decisions = self._facts, len(self._history.timesteps)
        base = ", on the optimizer's own rate" if facts.follows_optimizer else ""
        end = "" if facts.is_complete else ", and the fit has not ended under it"
        return (
            f'GANNO("{facts.policy}"{base}) with {facts.optimizer}: '
            f"{_count(facts.updates, 'update')}, {_count(decisions, 'decision')}{end}."
        )

    def _layers(self) -> str:
        count, pretrained = len(self._facts.kinds), len(self._history.pretrained_layers)
        layers = _count(count, "layer")
        if not self._facts.knows_pretrained:
            return f"{layers}; this policy does not ask which of them are pretrained."
        if not pretrained:
            return f"{layers}, all fresh." if count > 1 else f"{layers}, fresh."
        return (
            f"{layers}: {count - pretrained} fresh and {pretrained} pretrained, which "
            "move by a smaller share of their weights."
        )

    def _rates(self) -> Table:
        """Returns the layers of each kind with their rates."""
        header = ["learning rates of", "layers", "weights", "highest", "after update"]
        rows = []
        for name, places in self._by_kind():
            facts = self._facts
            rows.append(
                [
                    name,
                    f"{len(places):,}",
                    f"{sum(facts.num_weights[place] for place in places):,}",
                    _range(facts.peak_rates[places]),
                    _whole_range(facts.peak_updates[places]),
                    _range(facts.rates[places]),
                ]
            )
        return Table(
            [*header, "at the end" if self._facts.is_complete else "now"], rows
        )

    def _by_kind(self) -> Iterator[tuple[str, list[int]]]:
        """Yields kinds with the places of their layers, pretrained ones apart."""
        pretrained = set(self._history.pretrained_layers)
        is_pretrained = [name in pretrained for name in self._history.layers]
        for kind in LAYER_KINDS:
            for is_old in (True, False):
                places = [
                    place
                    for place, its_kind in enumerate(self._facts.kinds)
                    if its_kind == kind and is_pretrained[place] == is_old
                ]
                mark = ""
                if pretrained:
                    mark = ", pretrained" if is_old else ", fresh"
                if places:
                    yield f"{kind}{mark}", places

    def _notes(self) -> list[str]:
        notes = (self._frozen(), self._decays(), self._losses(), self._guard())
        return [note for note in (*notes, self._cost()) if note]

    def _frozen(self) -> str:
        count = int(np.sum(self._facts.rates == 0.0))
        return f"Frozen at the end, with a rate of 0: {_count(count, 'layer')}." * (
            count > 0
        )

    def _decays(self) -> str:
        decays = self._history.weight_decays
        if decays is None:
            return "Weight decay: as compiled."
        return f"Weight decay: {_range(decays)}; at the end {_range(decays[-1])}."

    def _losses(self) -> str:
        steps = self._history.timesteps
        if not steps:
            return "Losses: not measured, as no decision was due."
        first, last = steps[0].measurements, steps[-1].measurements
        parts = [f"training {first.train_loss:.4g} to {last.train_loss:.4g}"]
        if first.validation_loss is not None and last.validation_loss is not None:
            parts.append(
                f"validation {first.validation_loss:.4g} to {last.validation_loss:.4g}"
            )
        return f"Losses, from the first decision to the last: {', '.join(parts)}."

    def _guard(self) -> str:
        events = self._history.guard_events
        if not self._facts.is_guarded:
            return "Guard: off."
        if not events:
            return "Guard: nothing to undo."
        undone = sum(event.update - event.best_update for event in events)
        last = events[-1]
        return (
            f"Guard: {_count(len(events), 'return')}, {_count(undone, 'update')} "
            f"undone; the last from update {last.update:,} to {last.best_update:,}."
        )

    def _cost(self) -> str:
        facts = self._facts
        share = facts.own_seconds / max(facts.seconds, 1e-9)
        return (
            f"Time: {facts.own_seconds:.2g} of {facts.seconds:.3g} s were GANNO's own "
            f"({100 * share:.1f} %), without what it adds to the training step."
        )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _range(values: np.ndarray) -> str:
    """Returns the lowest and the highest value, or one if they hardly differ."""
    low, high = float(np.min(values)), float(np.max(values))
    if high - low <= SAME * abs(high):
        return f"{high:.2g}"
    return f"{low:.2g} to {high:.2g}"


def _whole_range(values: np.ndarray) -> str:
    low, high = int(np.min(values)), int(np.max(values))
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
