# SPDX-License-Identifier: Apache-2.0
"""Refuses a second callback for a model, and a second fit for a callback."""

from __future__ import annotations

import threading

import keras

from ganno_keras.fit.watching.undo_on_failure import UndoOnFailure


def refuse_second_fit(model: keras.Model | None, owner: object) -> None:
    """Refuses a callback that is at work in the fit of another thread.

    Args:
        model: The model whose fit it is, if there is one.
        owner: The callback.

    Raises:
        ValueError: If that fit is still running.
    """
    undo = None if model is None else UndoOnFailure.of(model)
    if model is None or undo is None or undo.owner is not owner:
        return
    if undo.thread.is_alive() and undo.thread is not threading.current_thread():
        raise ValueError(
            "This GANNO is at work in the fit of another thread, with the model "
            f"{model.name!r}. Make one GANNO for each fit that runs at the same time."
        )


def refuse_second_callback(model: keras.Model, owner: object) -> None:
    """Refuses a model that another callback controls already.

    Args:
        model: About to be controlled.
        owner: The callback that is about to do it.

    Raises:
        ValueError: If there is another one, which gives the model back first.
    """
    undo = UndoOnFailure.of(model)
    if undo is not None and undo.owner is not owner:
        undo.release()
        raise ValueError(
            f"There are two GANNO callbacks for the model {model.name!r}; both would "
            "set its learning rates. Leave one of them in the list."
        )
