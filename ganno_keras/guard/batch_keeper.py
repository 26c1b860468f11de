# SPDX-License-Identifier: Apache-2.0
"""The last batches that a model was trained on, as its training step got them.

Keras hands its callbacks no training data. On TensorFlow the training step gives each
batch out beside its logs, which copies nothing; on the other backends the data pass
through Python anyway.
"""

from __future__ import annotations

import functools
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import keras
from keras import tree

NUM_SAMPLES: Final = 64
"""About how many samples are at hand at any time."""

MOST_BATCHES: Final = 16
"""How many batches are at hand at most, however small they are."""

_KEY: Final = "_ganno_batch"
_UNWATCHED: Final = "_ganno_unwatched"
_FUNCTIONS: Final = ("make_train_function", "train_step")


def trains_as_keras(model: keras.Model) -> bool:
    """Returns whether training and evaluation of a model are Keras' own.

    Only then its test step measures what its training step minimises.

    Args:
        model: Any model.
    """
    names = ("train_step", "test_step", "make_train_function")
    return all(
        getattr(type(model), name) is getattr(keras.Model, name)
        and name not in vars(model)
        for name in names
    )


def can_keep(model: keras.Model) -> bool:
    """Returns whether the batches of a model can be kept and compared.

    Args:
        model: Any model. On several replicas each has a part of a batch.
    """
    strategy = getattr(model, "distribute_strategy", None)
    is_single = getattr(strategy, "num_replicas_in_sync", 1) == 1
    return is_single and trains_as_keras(model)


class BatchKeeper:
    """A keeper of references to the last batches of one fit.

    Args:
        model: A compiled model for which `can_keep` holds. Until `release` it carries
            functions that hide its own.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._batches: deque[Any] = deque(maxlen=MOST_BATCHES)
        self._is_sized = False
        # Past Keras' own __setattr__, which would track the attributes.
        if keras.backend.backend() == "tensorflow":
            vars(model)["train_step"] = _giving_out(model.train_step)
        vars(model)["make_train_function"] = self._watching(model.make_train_function)

    @property
    def batches(self) -> list[Any]:
        """Returns the last batches, the latest one last, as the backend has them."""
        return list(self._batches)

    def release(self) -> None:
        """Gives the model its own functions back; harmless when called again."""
        for name in _FUNCTIONS:
            vars(self._model).pop(name, None)

    def _watching(self, make: Callable[..., Any]) -> Callable[..., Any]:
        """Makes each training function that Keras makes hand on its batches."""
        watch = _WATCHES[keras.backend.backend()]

        @functools.wraps(make)
        def make_and_watch(*args: Any, **kwargs: Any) -> Any:
            make(*args, **kwargs)
            # A step that is kept from an earlier fit handed on to that fit's keeper.
            step = unwatched(self._model.train_function)
            watched = watch(step, self._keep)
            vars(watched)[_UNWATCHED] = step
            self._model.train_function = watched
            return watched

        return make_and_watch

    def _keep(self, batch: Any) -> None:
        if not self._is_sized:
            number = min(max(1, math.ceil(NUM_SAMPLES / size_of(batch))), MOST_BATCHES)
            self._batches = deque(maxlen=number)
            self._is_sized = True
        self._batches.append(batch)


def size_of(batch: Any) -> int:
    """Returns how many samples a batch has, at least 1."""
    leaves = [leaf for leaf in tree.flatten(batch) if getattr(leaf, "ndim", 0)]
    return max(1, int(leaves[0].shape[0] or 1)) if leaves else 1


def unwatched(step: Any) -> Any:
    """Returns a training function without the hands of a keeper around it."""
    return getattr(step, _UNWATCHED, step)


def gives_out(train_step: Any) -> bool:
    """Returns whether a `train_step` adds its batches to the logs for a keeper."""
    return _KEY in getattr(train_step, "__dict__", {})


Keep = Callable[[Any], None]
Step = Callable[..., Any]


def _giving_out(train_step: Step) -> Step:
    """Adds the batch to the logs, from where `_out_of_logs` takes it."""

    @functools.wraps(train_step)
    def step(data: Any) -> Any:
        logs = train_step(data)
        return {**logs, _KEY: data} if isinstance(logs, dict) else logs

    vars(step)[_KEY] = True
    return step


def _out_of_logs(step: Step, keep: Keep) -> Step:
    @functools.wraps(step)
    def watched(*args: Any) -> Any:
        logs = step(*args)
        if isinstance(logs, dict) and _KEY in logs:
            keep(logs.pop(_KEY))
        return logs

    return watched


def _out_of_iterator(step: Step, keep: Keep) -> Step:
    @functools.wraps(step)
    def watched(state: Any, iterator: Iterator[Any]) -> Any:
        return step(state, _kept(iterator, keep))

    return watched


def _kept(iterator: Iterator[Any], keep: Keep) -> Iterator[Any]:
    for batch in iterator:
        keep(batch)
        yield batch


def _out_of_list(step: Step, keep: Keep) -> Step:
    @functools.wraps(step)
    def watched(batches: Iterable[Any]) -> Any:
        known = list(batches)
        for batch in known:
            keep(batch)
        return step(known)

    return watched


_WATCHES: Final[dict[str, Callable[[Step, Keep], Step]]] = {
    "tensorflow": _out_of_logs,
    "jax": _out_of_iterator,
    "torch": _out_of_list,
}
