# SPDX-License-Identifier: Apache-2.0
"""GANNO as a Keras callback."""

# ruff: noqa: ARG002  the arguments of the methods are Keras'

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, MutableMapping
from time import perf_counter
from typing import Any

import keras

from ganno_keras.control.history import GannoHistory
from ganno_keras.control.layer_groups import check_keras_model
from ganno_keras.fit.compatibility import check_model, check_policy
from ganno_keras.fit.fit_control import FitControl
from ganno_keras.fit.messages import Messages
from ganno_keras.fit.settings import complete_settings
from ganno_keras.fit.watching.callback_list import calling_list
from ganno_keras.fit.watching.one_at_a_time import (
    refuse_second_callback,
    refuse_second_fit,
)
from ganno_keras.fit.watching.training_steps import TrainingSteps
from ganno_keras.fit.watching.undo_on_failure import UndoOnFailure
from ganno_keras.monitoring.validation_sample import ValidationSample
from ganno_keras.optimizers.specialised_optimizer import innermost
from ganno_keras.plots.history_plot import plot_history
from ganno_keras.policies import Policy
from ganno_keras.summaries.fit_summary import FitSummary


class GANNO(keras.callbacks.Callback):
    """A callback that sets every layer's learning rate.

    Put it first in the callbacks of `model.fit`. The model is compiled as usual, with
    any optimizer but a `MultiOptimizer`. Every layer has a rate of its own. After the
    fit the optimizer is the user's own again, with its own learning rate or schedule.

    By default each layer moves by a small share of its weights at each update, less if
    it was trained before. That needs no learning rate: the optimizer's is ignored. With
    a policy that has agents, these look at losses, gradients and weights after every
    `interval` updates, and change the rates. Policies with the paper's actions, such as
    `"ganno-first"`, start from the optimizer's rate.

    Args:
        policy: A name out of `list_policies()`, the path of a policy's folder, or
            `"hf://owner/name"` for one on the Hugging Face Hub. Objects with the
            interface of `ganno_keras.policies.Policy` are accepted, too.
        interval: Updates between two decisions, at least 1. By default the number that
            the policy was trained with; keep it unless the fit is very short.
        validation_data: Held-out data as for `model.evaluate`: `(x, y)`,
            `(x, y, sample_weight)` or a dataset. It is measured at each decision. By
            default the last result of the validation in `fit` counts, up to an epoch
            old. Before the first one the policy sees that there is none.
        validation_samples: How many samples of `validation_data` to measure.
        learning_rate_bounds: Lowest and highest rate, by default the policy's own, and
            none with base="optimizer".
        temperature: 0 takes the likeliest actions, 1 samples them as in the policy's
            training. By default what the policy is meant to be used with.
        seed: The seed of the sampling; equal seeds give equal actions.
        guard: Whether to restore the best weights and optimizer when training diverges,
            with a tenth of the learning rates. It diverges if a loss is NaN, or the
            network is worse than the best one on the very same samples. The log and
            `history.guard_events` report it. A copy of weights and optimizer is kept
            in the memory of the host. The paper has no such guard.
        base: What the policy's factors act on. "policy" is what it was made with, such
            as a schedule of its own. "optimizer" keeps the rate or the
            `LearningRateSchedule` that the model was compiled with, and the policy only
            corrects it, by actions that are factors.
        log_learning_rates: Whether to add `learning_rate/<layer>` to the logs of every
            epoch. `History`, `CSVLogger` and `TensorBoard` find it there if they come
            after GANNO in the list.
        verbose: 1 prints a line an epoch, and a summary at the end.

    Raises:
        TypeError: If an argument is of another kind.
        ValueError: If an argument is out of its range, or there is no such policy. In
            `fit`, before any change, if the model is not compiled, trains nothing or
            has several optimizers. Or if the policy cannot act on the optimizer's
            schedule, the validation data does not fit, or there are two GANNOs.

    Example:

        >>> import keras, numpy as np
        >>> x, y = np.ones((64, 4)), np.ones((64, 1))
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        >>> model.compile("adam", "mse")
        >>> ganno = GANNO("no-op", interval=1)
        >>> history = model.fit(x, y, epochs=3, callbacks=[ganno], verbose=0)
        >>> ganno.history.learning_rates.shape  # decisions, layers
        (5, 1)

    Paper: section 4, "Environments": this is the evaluation environment.
    """

    # Keras may deliver batch ends later (JAX): nothing here waits for them.
    async_safe = True

    def __init__(  # noqa: PLR0913  each is something that users ask for
        self,
        policy: str | os.PathLike[str] | Policy = "default",
        *,
        interval: int | None = None,
        validation_data: Any = None,
        validation_samples: int = 1000,
        learning_rate_bounds: tuple[float, float] | None = None,
        temperature: float | None = None,
        seed: int = 0,
        guard: bool = True,
        base: str = "policy",
        log_learning_rates: bool = True,
        verbose: int = 0,
    ) -> None:
        super().__init__()
        self._settings = complete_settings(
            policy,
            interval,
            learning_rate_bounds,
            temperature,
            seed,
            validation=(
                None
                if validation_data is None
                else ValidationSample(validation_data, validation_samples)
            ),
            guard=guard,
            base=base,
        )
        self._log_learning_rates = log_learning_rates
        self._verbose = verbose
        self._told: set[str] = set()  # in the log, by the fits so far
        self._control: FitControl | None = None
        self._steps: TrainingSteps | None = None
        self._step: Any = None
        self._is_training = False
        self._history = GannoHistory()

    # ------------------------------------------------------------ for users

    @property
    def history(self) -> GannoHistory:
        """Returns the decisions of the last fit, or of the one that is running."""
        return self._history

    def plot(self, path: str | os.PathLike[str] | None = None) -> Any:
        """Plots rates and actions of all layers, and loss and accuracy.

        Args:
            path: Where to save the picture, such as `"rates.png"`.

        Returns:
            The matplotlib figure.

        Raises:
            ImportError: If matplotlib is not installed.
            ValueError: If there was no decision yet.
        """
        return plot_history(self._history, path)

    def summary(self) -> FitSummary:
        """Returns what happened in the last fit, or in the running one, in ten lines.

        It is text for `print`, and a table below a notebook's cell.

        Raises:
            ValueError: If there was no fit yet.
        """
        return FitSummary(self._history)

    def detach(self) -> None:
        """Makes the optimizer plain again; `fit` does that by itself when it ends.

        After a fit that failed or was interrupted it is done already, or at the latest
        when the model is fitted or compiled again. In the middle of a fit, training
        continues with the optimizer's own learning rate.
        """
        guard = None if self._model is None else UndoOnFailure.of(self._model)
        if guard is not None and guard.owner is self:
            _ = self.model  # On JAX this brings the variables up to date.
            guard.release()

    # ------------------------------------------------------------ for Keras

    def set_model(self, model: keras.Model) -> None:
        """Takes control of the model, before Keras makes its training step."""
        check_keras_model(model)
        if self._is_training:
            refuse_second_fit(self._model, self)
        self._is_training = False
        self.detach()  # from the model of a fit that failed
        super().set_model(model)
        self._attach(model, calling_list(self))

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Learns how long the fit will be."""
        if self._control is None:
            # A CallbackList of the user's own sets the model once for several fits.
            self._attach(self.model, calling_list(self))
            self.model.make_train_function()
        self._is_training = True
        callbacks = calling_list(self)
        self._let(lambda it: it.plan_fit(self.params, callbacks))
        self._step = self.model.train_function
        UndoOnFailure.watch_step(self.model)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Counts the updates exactly, once an epoch."""
        self._let(lambda it: it.begin_epoch(epoch))

    def on_train_batch_begin(
        self, batch: int, logs: Mapping[str, Any] | None = None
    ) -> None:
        """Decides before the next update, once `interval` updates are done."""
        if self._control is not None and self._control.needs_attention(batch):
            self._let(lambda it: it.attend(batch))

    def on_train_batch_end(
        self, batch: int, logs: Mapping[str, Any] | None = None
    ) -> None:
        """Keeps the logs, for models whose loss is in no metric."""
        if self._control is not None:
            self._control.end_batch(batch, logs or {})

    def on_test_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Reads the training metrics of the epoch before validation resets them."""
        if self._is_training:
            self._let(lambda it: it.begin_validation())
        else:
            self.detach()

    def on_test_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Reads the result of the validation in `fit`."""
        if self._is_training:
            self._let(lambda it: it.meter.end_validation(logs or {}))

    def on_predict_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Gives the optimizer back if a failed fit has kept it."""
        if not self._is_training:
            self.detach()

    def on_epoch_end(
        self, epoch: int, logs: MutableMapping[str, Any] | None = None
    ) -> None:
        """Adds the learning rates to the logs."""
        self._let(lambda it: it.end_epoch(logs or {}))
        if self._control is None or logs is None or not self._log_learning_rates:
            return
        for layer, rate in self._control.learning_rates.items():
            logs[f"learning_rate/{layer}"] = rate

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Gives the optimizer back."""
        self._let(lambda it: it.end_fit())
        self._is_training = False
        self.detach()

    # ------------------------------------------------------------ lifetime

    def _attach(
        self, model: keras.Model, callbacks: keras.callbacks.CallbackList | None
    ) -> None:
        """Takes control, after all checks that could refuse it."""
        begin = perf_counter()
        refuse_second_callback(model, self)
        check_model(model)
        check_policy(model, self._settings)
        messages = Messages(self._verbose, self._told)
        optimizer = innermost(model.optimizer)
        settings = self._settings.suited_to(optimizer)
        if settings is not self._settings:
            messages.log_kept_rate(optimizer)
        self._control = FitControl(model, settings, messages)
        self._history = self._control.history
        UndoOnFailure(model, self, self._release, callbacks, self._see_batch_of_loop)
        self._steps = TrainingSteps(model, self._control.layerwise)
        self._step = None
        self._history.facts.see_time(begin)

    def _see_batch_of_loop(self) -> None:
        self._let(lambda it: it.meter.take_batch())

    def _release(self) -> None:
        """Makes the optimizer plain, so that Keras makes its training step anew."""
        if self._control is not None:
            self._control.detach()
        self._control = None
        if self._steps is not None:
            self._steps.give_back(self._step)
        self._steps = self._step = None

    def _let(self, act: Callable[[FitControl], None]) -> None:
        """Acts, if in control; gives the optimizer back at once if that fails."""
        if self._control is None:
            return
        _ = self.model  # On JAX this brings the variables up to date, at some cost.
        begin = perf_counter()
        try:
            act(self._control)
        except BaseException:
            self.detach()
            raise
        finally:
            self._history.facts.see_time(begin)
        complaint = None if self._control is None else self._control.complaint
        if complaint is not None:
            self.detach()
            warnings.warn(complaint, stacklevel=2)
