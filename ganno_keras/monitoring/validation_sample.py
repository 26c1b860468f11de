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

from ganno_keras.monitoring.metric_sums import Means, means_of
from ganno_keras.monitoring.stateless_test_step import KEPT_STEP, StatelessTestStep

LARGEST_BATCH: Final = 250
SIZE_OF_PART: Final = 32

Batch = tuple[Any, ...]  # (x,), (x, y) or (x, y, sample_weight)


class ValidationSample:
    """A part of the validation data, the same at every measurement.

    Args:
        data: A tuple `(x, y)` or `(x, y, sample_weight)` of arrays, or of structures
            of arrays as the model takes them. Or a dataset that gives such batches
            each time it is iterated over: a `tf.data.Dataset`, a
            `keras.utils.PyDataset` or a PyTorch `DataLoader`.
        num_samples: How many samples to keep, at least 1. From arrays it is a random
            choice that is always the same, from a dataset the first ones.

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

    @property
    def num_samples(self) -> int:
        """Returns how many samples are measured."""
        return sum(_length(batch) for batch in self._batches)

    def check(self, model: keras.Model) -> None:
        """Tries one sample on a built model, before any training.

        A model that is made for batches of one size gets only batches of that size
        from then on. Samples that are left over are ignored.

        Raises:
            ValueError: If the data does not fit the model.
        """
        size = fixed_batch_size(model)
        if size is not None:
            self._batches = _in_batches_of(size, self._batches)
        batch = _take(self._batches[0], slice(size or 1))
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
        return means_of(self.sums(model))

    def sums(self, model: keras.Model) -> np.ndarray:
        """Returns the totals and counts that loss and accuracies are made of.

        Returns:
            float64 `[1 + num_accuracies, 2]`; row 0 is the loss, whose count is 0 if
            the model's `test_step` counts none.
        """
        step = StatelessTestStep.kept_in(self, model)
        return np.sum([step(batch) for batch in self._batches], axis=0)

    def parts(self, most: int, size: int | None = None) -> list[Batch]:
        """Returns small parts of the sample, evenly spread over it.

        Args:
            most: How many at most.
            size: How many samples each has; None for a few.
        """
        found = []
        for batch in self._batches:
            rows = size or min(_length(batch), SIZE_OF_PART)
            starts = range(0, _length(batch) - rows + 1, rows)
            found += [_take(batch, slice(start, start + rows)) for start in starts]
        return found[:: math.ceil(len(found) / most) or 1]

    def __getstate__(self) -> dict[str, Any]:
        """Returns the state without the compiled step: a copy makes its own."""
        return {name: it for name, it in vars(self).items() if name != KEPT_STEP}


def _batches(data: Any, num_samples: int) -> Iterator[Batch]:
    if isinstance(data, tuple | list) and 1 <= len(data) <= 3:
        return _batches_of_arrays(tuple(data), num_samples)
    if isinstance(data, keras.utils.PyDataset):
        # It is infinite if it does not know its number of batches.
        indices = count() if data.num_batches is None else range(data.num_batches)
        return _batches_of_dataset((data[index] for index in indices), num_samples)
    if not can_be_read_again(data):
        raise TypeError(
            f"validation_data is {type(data).__name__}. Accepted are a tuple (x, y) or "
            "(x, y, sample_weight) of arrays, and datasets of such batches that can be "
            "read more than once. Pass a tf.data.Dataset, for example."
        )
    return _batches_of_dataset(data, num_samples)


def can_be_read_again(data: Any) -> bool:
    """Returns whether the data can be read again, as a dataset can."""
    if isinstance(data, keras.utils.PyDataset):
        return True
    single = isinstance(data, dict | str) or hasattr(data, "shape")
    return isinstance(data, Iterable) and not isinstance(data, Iterator) and not single


def _on_host(batch: Batch) -> Batch:
    """Returns NumPy arrays, without labels and weights that are None, as Keras does."""
    while len(batch) > 1 and batch[-1] is None:
        batch = batch[:-1]
    return tuple(tree.map_structure(_to_numpy, part) for part in batch)


def _batches_of_arrays(arrays: Batch, num_samples: int) -> Iterator[Batch]:
    arrays = _on_host(arrays)
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
        batch = _take(_on_host(batch), slice(missing))
        missing -= _length(batch)
        yield batch
        if missing <= 0:
            return


def _take(batch: Batch, indices: Any) -> Batch:
    return tuple(tree.map_structure(lambda leaf: leaf[indices], batch))


def _length(batch: Batch) -> int:
    return len(tree.flatten(batch)[0])


def _to_numpy(leaf: Any) -> np.ndarray:
    """Returns an array on the host; floating-point numbers in Keras' precision."""
    array = _as_array(leaf)
    if not array.ndim:
        raise ValueError(
            "The validation data has elements without a batch axis. Give batches, "
            "such as dataset.batch(100)."
        )
    floating = np.issubdtype(array.dtype, np.floating)
    return array.astype(keras.config.floatx()) if floating else array


def _as_array(leaf: Any) -> np.ndarray:
    """Returns what `fit` makes of an array, a tensor or a table: dense, on the host."""
    if ops.is_tensor(leaf):
        return np.asarray(ops.convert_to_numpy(leaf))
    if hasattr(leaf, "toarray"):  # of SciPy, which need not be installed
        return np.asarray(leaf.toarray())
    array = np.asarray(leaf)
    if array.dtype == object and hasattr(leaf, "dtypes"):
        # A table of pandas with numbers of several kinds, booleans among them.
        array = np.asarray(leaf.astype(keras.config.floatx()))
    is_column = hasattr(leaf, "to_numpy") and array.ndim == 1
    return array[:, np.newaxis] if is_column else array


def fixed_batch_size(model: keras.Model) -> int | None:
    """Returns the size of the batches that a model is made for, None for any size.

    Args:
        model: Any model; one without known inputs is taken to bear any size.
    """
    inputs = getattr(model, "inputs", None) or []
    sizes = [tensor.shape[0] for tensor in inputs if tensor.shape]
    return next((size for size in sizes if size is not None), None)


def _in_batches_of(size: int, batches: list[Batch]) -> list[Batch]:
    joined = tree.map_structure(lambda *leaves: np.concatenate(leaves), *batches)
    length = _length(joined)
    if length < size:
        raise ValueError(
            f"The model takes batches of {size} samples, and there are {length} to "
            f"validate on. Give at least {size}, and let validation_samples be as many."
        )
    starts = range(0, length - size + 1, size)
    return [_take(joined, slice(start, start + size)) for start in starts]
