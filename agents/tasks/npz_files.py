# SPDX-License-Identifier: Apache-2.0
"""Loads data sets of your own: images or tables in an .npz file."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from ganno_keras.datasets import scaled_bytes

from .samples import Samples

SUFFIX: Final = ".npz"
ARRAYS: Final = ("x_train", "y_train", "x_test", "y_test")


def load_file(path: str) -> tuple[Samples, Samples]:
    """Loads a data set from a file in the form of Keras' own `mnist.npz`.

    Args:
        path: Path of an .npz file with the arrays `ARRAYS`. The inputs are images,
            `[num_samples, height, width]` or with channels as a last axis, or a table
            `[num_samples, num_columns]`. The targets are classes, as whole numbers from
            0 on `[num_samples]`, or numbers to predict `[num_samples, ...]`. Bytes are
            pixels, and scaled to [0, 1]. The samples have to be in random order, since
            the last ones of the training set are held out.

    Returns:
        Training and test set: inputs float32, targets int32 classes or float32 numbers.

    Raises:
        ValueError: If there is no such file, or it holds anything else.

    Example:

        >>> import tempfile
        >>> x, y = np.random.rand(50, 4), np.arange(50) % 3
        >>> path = f"{tempfile.mkdtemp()}/flowers.npz"
        >>> np.savez(path, x_train=x[:40], y_train=y[:40], x_test=x[40:], y_test=y[40:])
        >>> train, test = load_file(path)
        >>> train.inputs.shape, test.targets.dtype
        ((40, 4), dtype('int32'))
    """
    arrays = _read(path)
    return _samples(path, arrays, "train"), _samples(path, arrays, "test")


def _read(path: str) -> Mapping[str, np.ndarray]:
    if not Path(path).is_file():
        raise ValueError(f"There is no data set file {path!r}. Give its whole path.")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in ARRAYS if name in file}
            names = file.files
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path!r} cannot be read as a data set: {error}. Save numeric arrays with "
            "numpy.savez."
        ) from error
    if len(arrays) < len(ARRAYS):
        raise ValueError(
            f"{path!r} holds the arrays {sorted(names)}; needed are {', '.join(ARRAYS)}"
            ". Save them under these names with numpy.savez."
        )
    return arrays


def _samples(path: str, arrays: Mapping[str, np.ndarray], part: str) -> Samples:
    inputs, targets = arrays[f"x_{part}"], arrays[f"y_{part}"]
    is_table_or_images = inputs.ndim in (2, 3, 4) and targets.ndim > 0
    if not is_table_or_images or not len(inputs) == len(targets) > 0:
        raise ValueError(
            f"In {path!r}, x_{part} has the shape {inputs.shape} and y_{part} "
            f"{targets.shape}; a table [samples, columns] or images [samples, height, "
            "width, channels] are needed, with one target for each. Correct the file."
        )
    if inputs.ndim == 3:
        inputs = inputs[..., np.newaxis]
    return Samples(_inputs(path, inputs), _targets(path, targets))


def _inputs(path: str, inputs: np.ndarray) -> np.ndarray:
    if inputs.dtype == np.uint8:
        return scaled_bytes(inputs)
    return _finite(path, inputs)


def _targets(path: str, targets: np.ndarray) -> np.ndarray:
    if not np.issubdtype(targets.dtype, np.integer):
        return _finite(path, targets)
    if targets.ndim > 1 or targets.min() < 0:
        raise ValueError(
            f"In {path!r}, targets are whole numbers from {targets.min()} on, of the "
            f"shape {targets.shape}; classes are counted from 0, one a sample. Count "
            "them so, or save numbers to predict as float32."
        )
    return targets.astype(np.int32)


def _finite(path: str, values: np.ndarray) -> np.ndarray:
    if not np.issubdtype(values.dtype, np.number) or not np.isfinite(values).all():
        raise ValueError(
            f"In {path!r}, an array of {values.dtype} has something that is no finite "
            "number. Replace missing values, and encode categories as numbers."
        )
    return values.astype(np.float32)
