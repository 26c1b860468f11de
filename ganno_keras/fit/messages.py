# SPDX-License-Identifier: Apache-2.0
"""Messages of GANNO to its user: warnings, each once a fit, and a line an epoch."""

from __future__ import annotations

import logging
import math
import numbers
import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Final

import keras

from ganno_keras.control.actions import LearningRateBounds
from ganno_keras.control.anchor.targets import resolved_loss
from ganno_keras.control.anchor.training_facts import network_width
from ganno_keras.control.anchor.weight_groups import weight_groups
from ganno_keras.control.history import GannoHistory, GuardEvent
from ganno_keras.control.layer_groups import LayerGroup
from ganno_keras.fit.fit_plan import FitPlan
from ganno_keras.fit.update_clock import UpdateClock
from ganno_keras.fit.watching.plateaus import PlateauWatch
from ganno_keras.summaries.fit_summary import FitSummary

_LOGGER: Final = logging.getLogger("ganno_keras")
_LARGEST_BLIND_SHARE: Final = 0.5
"""Of the batches of a fit that may go by unlearned from."""

FEWEST_DECISIONS: Final = 5
"""With fewer decisions in a whole fit there is little to control."""

WIDEST_NETWORK: Final = 64
"""Units or filters of the networks that the base schedules were made for."""

_RELATIVES_OF_ADAM: Final = (
    keras.optimizers.Adam,
    keras.optimizers.Adamax,
    keras.optimizers.Lamb,
    keras.optimizers.Nadam,
    keras.optimizers.RMSprop,
)
"""Optimizers whose learning rates are of about the same size."""


_LARGE_LOSSES: Final[Mapping[str, float]] = {
    "mean_squared_error": 1e4,
    "mean_absolute_error": 1e2,
    "huber": 1e2,
    "huber_loss": 1e2,
    "log_cosh": 1e2,
}
"""Losses of errors of about a hundred, by the names of their functions and objects."""


class Messages:
    """The messages to the user of one fit.

    Args:
        verbose: 1 prints a line an epoch, and a summary at the end.
        told: What earlier fits have logged, to be said once in a loop of fits; this one
            adds to it.
    """

    def __init__(self, verbose: int, told: set[str] | None = None) -> None:
        self._verbose = verbose
        self._told = set() if told is None else told
        self._told_of_other_scheduler = False

    def warn_of_short_fit(self, plan: FitPlan, clock: UpdateClock) -> None:
        """Warns of a fit that is only a few intervals long."""
        if plan.batches is None or not plan.epochs:
            return
        updates = plan.batches * plan.epochs // clock.batches_per_update
        decisions = max(updates - 1, 0) // clock.interval
        if decisions < FEWEST_DECISIONS:
            _warn(
                f"This fit has {updates} updates in {plan.epochs} epochs, and GANNO "
                f"decides after every {clock.interval}: {decisions} decisions in all. "
                "Train for more epochs, use smaller batches, or pass a smaller interval"
                f", such as GANNO(interval={max(updates // 20, 1)})."
            )

    def warn_of_bounds(self, learning_rate: float, bounds: LearningRateBounds) -> None:
        """Warns of an initial learning rate that no action can return to."""
        if not bounds.minimum <= learning_rate <= bounds.maximum:
            _warn(
                f"The optimizer's learning rate {learning_rate:g} lies outside the "
                f"bounds {tuple(bounds)}: a layer's rate is taken to the nearest "
                "bound, at the latest with its first change. Compile with a rate "
                "inside, or pass GANNO(learning_rate_bounds=(minimum, maximum))."
            )

    def log_still_schedule(self, plan: FitPlan, learning_rate: float) -> None:
        """Logs that a policy's base schedule will never change the rate."""
        if plan.shows_no_progress:
            _LOGGER.warning(
                "GANNO: the policy follows a schedule over the whole fit, and this one "
                "has a single epoch of unknown length. So it shows no progress, and "
                "the schedule stays at its first learning rate, %.2e. Pass "
                "steps_per_epoch to fit, or data of known length.",
                learning_rate,
            )

    def log_late_start(self, epoch: int, epochs: int) -> None:
        """Logs that a schedule of GANNO's own begins in its middle."""
        text = (
            f"GANNO: this fit begins after {epoch} of {epochs} epochs (initial_epoch). "
            "GANNO's schedule begins there, too, but GANNO remembers nothing of these "
            "epochs. If each of your fits is one part of the training, each goes to "
            "the end of the schedule: make them one fit. To resume a training with its "
            "memory, use BackupAndRestore."
        )
        _LOGGER.warning(text)

    def log_unsuited_optimizer(self, optimizer: keras.optimizers.Optimizer) -> None:
        """Logs that a policy's base schedule is not made for such an optimizer."""
        if not isinstance(optimizer, _RELATIVES_OF_ADAM):
            _LOGGER.warning(
                "GANNO: the policy follows a schedule made for Adam and its relatives, "
                "and the optimizer is %s. The schedule's learning rates may be far too "
                "low or too high for it. Compile with Adam or AdamW, or use GANNO(), "
                "whose rates follow from the optimizer's steps.",
                optimizer.__class__.__name__,
            )

    def log_kept_rate(self, optimizer: keras.optimizers.Optimizer) -> None:
        """Logs that an optimizer cannot do with rates of GANNO's own."""
        _LOGGER.warning(
            "GANNO: the steps of %s do not follow its rate, so it keeps the rate that "
            "it was made with, as with GANNO(base='optimizer'). Compile with another "
            "optimizer for rates of GANNO's own.",
            optimizer.__class__.__name__,
        )

    def warn_of_blind_start(self, first: int, batches: int) -> None:
        """Warns of a fit in which much goes by before the first step is known.

        Args:
            first: Batches of the first execution.
            batches: Of the fit.
        """
        if first <= _LARGEST_BLIND_SHARE * batches:
            return
        _warn(
            f"GANNO measures the first execution of a fit, and hardly trains in it: "
            f"here {first} of {batches} batches. Train for more epochs, or compile "
            "with smaller steps_per_execution."
        )

    def log_unsuited_width(self, groups: Sequence[LayerGroup]) -> None:
        """Logs that a policy's base schedule is not made for so wide a network."""
        width = network_width(weight_groups(groups))
        if width > WIDEST_NETWORK:
            _LOGGER.warning(
                "GANNO: the policy follows a schedule made for layers of up to %d units"
                " or filters, and most of this network's have %d or more. The"
                " schedule's learning rates may be far too high for them."
                " Use GANNO(), whose formula takes the width into account.",
                WIDEST_NETWORK,
                width,
            )

    def log_unscaled_targets(self, loss: object, value: float | None) -> None:
        """Logs that weights would have to grow far to reach the targets.

        Args:
            loss: As in `compile`.
            value: Its mean over the first epoch, None if unknown.
        """
        found = resolved_loss(loss)
        name = getattr(found, "name", None) or getattr(found, "__name__", None)
        most = _LARGE_LOSSES.get(str(name), math.inf)
        if value is not None and math.isfinite(value) and value > most:
            _LOGGER.warning(
                "GANNO: the loss %s is %g after an epoch, so the targets are far larger"
                " than what a new network gives. Each layer moves by a small share of "
                "its weights, and would take long to grow. Scale the targets to about "
                "1, or keep your own learning rate with GANNO(base='optimizer').",
                name,
                value,
            )

    def log_pretrained(self, pretrained: Sequence[bool]) -> None:
        """Logs how many layers have been trained before, as their rates are lower."""
        text = (
            f"GANNO: {sum(pretrained)} of {len(pretrained)} layers are pretrained; "
            "they move by a smaller share of their weights. "
            "ganno.history.pretrained_layers names them."
        )
        if any(pretrained) and text not in self._told:
            self._told.add(text)
            _LOGGER.warning(text)

    def log_open_end(self, plan: FitPlan) -> None:
        """Logs how rates come down in a fit whose planned end is only a bound."""
        if plan.shows_no_progress:
            _LOGGER.warning(
                "GANNO: this fit has a single epoch of unknown length, so its rates "
                "are held after a warm-up and do not come down. Pass steps_per_epoch "
                "to fit, or data of known length."
            )
        for watch in plan.watches:
            _LOGGER.warning("GANNO: %s", _told(watch, plan))

    def log_resting_agents(self, policy: str) -> None:
        """Logs that agents take no part in a fit of a kind that they do not know."""
        _LOGGER.warning(
            "GANNO: the agents of %s have never met a fit without a known end, so they "
            "take the no-op in this one. Rates follow the anchor alone.",
            policy,
        )

    def warn_of_other_scheduler(self, own: float, refused: Any) -> None:
        """Warns that somebody else set a learning rate, which has no effect.

        Args:
            own: The optimizer's own rate, which it keeps.
            refused: The rate, or schedule, that it was to have instead.
        """
        is_number = isinstance(refused, numbers.Real)
        is_same = is_number and math.isclose(refused, own, rel_tol=1e-6)
        if self._told_of_other_scheduler or is_same:
            return
        self._told_of_other_scheduler = True
        shown = f"{refused:g}" if is_number else str(refused)
        _warn(
            f"The optimizer's learning_rate was set to {shown} during the fit, by "
            f"another callback perhaps. It keeps its own of {own:g}. A change has no "
            "effect while GANNO sets a rate for every layer. Remove "
            "LearningRateScheduler, ReduceLROnPlateau or whatever changes it, or "
            "remove GANNO."
        )

    def log_rollback(self, event: GuardEvent, number: int) -> None:
        """Logs that the guard has returned to an earlier moment."""
        rates = event.learning_rates
        _LOGGER.warning(
            "GANNO's guard, return %d of this fit: the training diverged (training "
            "loss %g before update %d%s). It resumes from the weights after update %d, "
            "with learning rates from %.2e to %.2e.",
            number,
            event.train_loss,
            event.update,
            _compared(event),
            event.best_update,
            rates.min(),
            rates.max(),
        )

    def log_missing_comparison(self) -> None:
        """Logs that a rise of the training loss cannot be looked into."""
        _LOGGER.warning(
            "GANNO's guard: the training loss rose far, but there is nothing to "
            "compare the weights on. The model has a training or test step of its own, "
            "or its batches cannot be kept. In this fit the guard returns only if the "
            "loss or a weight becomes NaN or infinite."
        )

    def log_stepping_aside(self) -> None:
        """Logs that the guard has given up."""
        _LOGGER.warning(
            "GANNO's guard: two returns in a row did not help, so it leaves the rest "
            "of this fit alone. Look at the data and the loss, or limit the rates: "
            "GANNO(learning_rate_bounds=(0.0, 1e-3)), for example."
        )

    def log_rollbacks(self, events: Sequence[GuardEvent]) -> None:
        """Logs what the guard has undone in a fit."""
        # What an earlier return has undone is not undone again.
        before = [0, *(event.update for event in events[:-1])]
        updates = sum(
            event.update - max(event.best_update, earlier)
            for event, earlier in zip(events, before, strict=True)
        )
        _LOGGER.warning(
            "GANNO's guard: %d returns in this fit undid %d updates. "
            "ganno.history.guard_events has them all.",
            len(events),
            updates,
        )

    def print_rates(self, updates: int, rates: Mapping[str, float]) -> None:
        """Prints the range of the learning rates."""
        if not self._verbose or not rates:
            return
        (lowest, low), *_, (highest, high) = 2 * sorted(
            rates.items(), key=lambda item: item[1]
        )
        sys.stdout.write(
            f"GANNO: {updates} updates, learning rates from {low:.2e} ({lowest}) to "
            f"{high:.2e} ({highest})\n"
        )

    def print_summary(self, history: GannoHistory) -> None:
        """Prints what happened in a fit, if anything was trained."""
        if self._verbose and history.facts.kinds:
            sys.stdout.write(f"{FitSummary(history)}\n")


def _warn(text: str) -> None:
    warnings.warn(text, stacklevel=2)


def _compared(event: GuardEvent) -> str:
    """Returns what was measured on the same samples, if anything was."""
    if event.sample_loss is None or event.best_sample_loss is None:
        return ""
    if not math.isfinite(event.best_sample_loss):
        return "; the last batches give no number with the weights before it either"
    return (
        f"; on the same samples {event.sample_loss:g}, and {event.best_sample_loss:g} "
        "with the restored weights"
    )


def _told(watch: PlateauWatch, plan: FitPlan) -> str:
    """Returns what a callback that waits for an improvement does to the rates."""
    rule = watch.rule
    if not rule.has_room:
        return (
            f"{watch.name} has a patience of {rule.patience:g}, which leaves no epoch "
            f"to bring the rates down in. They follow the {plan.epochs} planned epochs."
            " Give it a patience of 2 or more."
        )
    stall = f"once {watch.monitor} has not improved for {rule.stall} epochs"
    span = f"{rule.patience - rule.stall:g} epochs"
    if rule.ends_fit:
        return (
            f"{watch.name} may end this fit before its {plan.epochs} planned epochs. So"
            f" rates are held after a warm-up, and come down to {rule.factor:g} of what"
            f" they are in {span}, {stall}."
        )
    return (
        f"{watch.name} does not change the rates of this fit itself. What it asks for "
        f"is done: rates come down to {rule.factor:g} of what they are in {span}, "
        f"{stall}."
    )
