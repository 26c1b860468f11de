# SPDX-License-Identifier: Apache-2.0
"""A fixed held-out sample, measured during training without leaving a trace.

Keras hands its callbacks no validation data, and `model.evaluate` would reset the
metrics of the running epoch. Here the model's own `test_step` runs in a scope that
drops every change of a variable: metrics, weights, moving averages, random seeds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any, Final

import keras
import numpy as np
from keras import ops, tree

from ganno_keras._stateless_test_step import StatelessTestStep
from ganno_keras._training_window import Means, means_of

LARGEST_BATCH: Final = 250

Batch = tuple[Any, ...]  # (x,), (x, y) or (x, y, sample_weight)


class ValidationSample:
    """A part of the validation data, the same at every measurement.

    Args:
        data: A tuple `(x, y)` or `(x, y, sample_weight)` of arrays, or of structures
            of arrays as the model takes them; or a dataset that gives such batches
            each time it is iterated over (`tf.data.Dataset`, `keras.utils.PyDataset`,
            a PyTorch `DataLoader`).
        num_samples: How many samples to keep, at least 1. Of arrays a random choice
            that is always the same, of a dataset the first ones.

    Raises:
        TypeError: If the data is of another kind.
        ValueError: If the arrays differ in length, or there are no samples.

    Example:

        >>> import keras, numpy as np
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> sample = ValidationSample((np.ones((9, 4)), np.ones((9, 1))), 5)
        >>> sample.measure(model).accuracy is None
        True

    Paper: Appendix A, "test" accuracy and loss.
    """

    def __init__(self, data: Any, num_samples: int = 1000) -> None:
        if num_samples < 1:
            raise ValueError(
                f"validation_samples is {num_samples!r}; at least 1 sample is needed."
            )
        self._batches = list(_batches(data, num_samples))
        if not self._batches:
            raise ValueError(
                "The validation data has no samples. Give some, or leave "
                "validation_data out."
            )
        self._step: StatelessTestStep | None = None

    @property
    def num_samples(self) -> int:
        """How many samples are measured."""
        return sum(_length(batch) for batch in self._batches)

    def check(self, model: keras.Model) -> None:
        """Tries one sample on a built model, before any training.

        Raises:
            ValueError: If the data does not fit the model.
        """
        batch = self._batches[0]
        if not _has_fixed_batch(model):
            batch = tree.map_structure(lambda leaf: leaf[:1], batch)
        try:
            StatelessTestStep(model, compiled=False)(batch)
        except Exception as error:
            shapes = tree.map_structure(lambda leaf: np.shape(leaf), self._batches[0])
            raise ValueError(
                f"The validation data does not fit the model: batches of the shapes "
                f"{shapes} gave {type(error).__name__}: {error}. Give data as you give "
                "to model.evaluate: (x, y), (x, y, sample_weight), or a dataset of "
                "such batches."
            ) from error

    def measure(self, model: keras.Model) -> Means:
        """Returns loss and accuracy of the model on the sample, as `evaluate` would."""
        if self._step is None or not self._step.fits(model):
            self._step = StatelessTestStep(model)
        return means_of(np.sum([self._step(batch) for batch in self._batches], axis=0))


def _batches(data: Any, num_samples: int) -> Iterator[Batch]:
    if isinstance(data, tuple | list) and 1 <= len(data) <= 3:
        return _batches_of_arrays(tuple(data), num_samples)
    if isinstance(data, keras.utils.PyDataset):
        # It is infinite if it does not know its number of batches.
        indices = count() if data.num_batches is None else range(data.num_batches)
        return _batches_of_dataset((data[index] for index in indices), num_samples)
    if not _is_dataset(data):
        raise TypeError(
            f"validation_data is {type(data).__name__}; a tuple (x, y) or (x, y, "
            "sample_weight) of arrays is needed, or a dataset of such batches that "
            "can be read more than once, such as a tf.data.Dataset."
        )
    return _batches_of_dataset(data, num_samples)


def _is_dataset(data: Any) -> bool:
    """Neither one array or dictionary nor something that is used up by reading it."""
    single = isinstance(data, dict | str) or hasattr(data, "shape")
    return isinstance(data, Iterable) and not isinstance(data, Iterator) and not single


def _batches_of_arrays(arrays: Batch, num_samples: int) -> Iterator[Batch]:
    arrays = tree.map_structure(_to_numpy, arrays)
    lengths = {len(leaf) for leaf in tree.flatten(arrays)}
    if len(lengths) != 1:
        raise ValueError(
            f"The arrays of the validation data have {sorted(lengths)} samples. Give "
            "the same number of samples in each."
        )
    (length,) = lengths
    size = min(num_samples, length)
    chosen = np.sort(np.random.default_rng(0).choice(length, size, replace=False))
    for indices in np.array_split(chosen, math.ceil(size / LARGEST_BATCH) or 1):
        if len(indices):
            yield _take(arrays, indices)


def _batches_of_dataset(dataset: Iterable[Any], num_samples: int) -> Iterator[Batch]:
    missing = num_samples
    for element in dataset:
        batch = tuple(element) if isinstance(element, tuple | list) else (element,)
        batch = _take(tree.map_structure(_to_numpy, batch), slice(missing))
        missing -= _length(batch)
        yield batch
        if missing <= 0:
            return


def _take(batch: Batch, indices: Any) -> Batch:
    return tuple(tree.map_structure(lambda leaf: leaf[indices], batch))


def _length(batch: Batch) -> int:
    return len(tree.flatten(batch)[0])


def _to_numpy(leaf: Any) -> np.ndarray:
    """An array on the host, floating-point numbers in Keras' default precision."""
    array = ops.convert_to_numpy(leaf) if ops.is_tensor(leaf) else np.asarray(leaf)
    if not array.ndim:
        raise ValueError(
            "The validation data has elements without a batch axis. Give batches, "
            "such as dataset.batch(100)."
        )
    floating = np.issubdtype(array.dtype, np.floating)
    return array.astype(keras.config.floatx()) if floating else array


def _has_fixed_batch(model: keras.Model) -> bool:
    inputs = getattr(model, "inputs", None) or []
    return any(tensor.shape[0] is not None for tensor in inputs)
