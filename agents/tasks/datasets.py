# SPDX-License-Identifier: Apache-2.0
"""Loads data sets by name, as arrays.

A data set is the embedded one, one of TensorFlow Datasets, or a file of your own.
`tensorflow_datasets` looks for prepared data in the folder that the environment
variable TFDS_DATA_DIR names. It downloads what it does not find there.
"""

from __future__ import annotations

from types import ModuleType
from typing import Final

import numpy as np

from ganno_keras.datasets import from_bytes, load_embedded_fashion_mnist

from .npz_files import SUFFIX, load_file
from .samples import Samples

EMBEDDED: Final = "embedded_fashion_mnist"
TABLE: Final = "_table"
"""Suffix to the name of a set of images that turns it into a table."""


def load_dataset(name: str) -> tuple[Samples, Samples]:
    """Loads a data set by name.

    Args:
        name: `EMBEDDED`, which needs no download; a set of images with classes of
            TensorFlow Datasets, such as `"cifar10"` or `"fashion_mnist"`; or the path
            of an .npz file (see agents/tasks/npz_files.py). With `TABLE` after one of
            the first two, the images are summarised to a table.

    Returns:
        Training and test set. Inputs are images, float32 `[num_images, height, width,
        channels]` in [0, 1], or a table `[num_samples, num_columns]`. Targets are
        classes, int32 `[num_samples]`; a file may hold numbers to predict instead.

    Raises:
        ValueError: If a file or a data set holds anything else.
        ImportError: If TensorFlow Datasets is needed and not installed.
        RuntimeError: If TensorFlow Datasets cannot provide the data.

    Example:

        >>> train, test = load_dataset("embedded_fashion_mnist")
        >>> train.inputs.shape
        (8000, 28, 28, 1)
        >>> train, test = load_dataset("embedded_fashion_mnist_table")
        >>> train.inputs.shape
        (8000, 112)
    """
    if name.endswith(SUFFIX):
        return load_file(name)
    if name.endswith(TABLE):
        images, test_images = load_dataset(name.removesuffix(TABLE))
        return as_table(images), as_table(test_images)
    if name == EMBEDDED:
        train, test = load_embedded_fashion_mnist()
    else:
        train = from_bytes(*load_split(name, "train"))
        test = from_bytes(*load_split(name, "test"))
    return Samples(*train), Samples(*test)


def as_table(samples: Samples) -> Samples:
    """Summarises each image to the mean and deviation of every column and row.

    Args:
        samples: Images `[num_images, height, width, channels]`.

    Returns:
        A table `[num_images, 2 * (width + height) * channels]` with the same targets.
    """
    means = [samples.inputs.mean(axis=axis) for axis in (1, 2)]
    deviations = [samples.inputs.std(axis=axis) for axis in (1, 2)]
    columns = [it.reshape(len(it), -1) for it in (*means, *deviations)]
    return samples._replace(inputs=np.concatenate(columns, axis=1))


def standardise(*parts: Samples) -> list[Samples]:
    """Shifts and scales each colour channel, or column, to mean 0 and deviation 1.

    Args:
        parts: Images or tables. Mean and deviation are those of the first part. A
            column of equal numbers is only shifted.

    Example:

        >>> train, test = standardise(*load_dataset("embedded_fashion_mnist"))
        >>> round(float(train.inputs.std()), 3)
        1.0
    """
    # A sum of fifty million float32 pixels would stop growing at 2 ** 24.
    first = parts[0].inputs
    all_but_the_last = tuple(range(first.ndim - 1))
    mean = first.mean(axis=all_but_the_last, dtype=np.float64)
    deviation = first.std(axis=all_but_the_last, dtype=np.float64)
    shift = mean.astype(np.float32)
    scale = np.where(deviation > 0, deviation, 1.0).astype(np.float32)
    return [part._replace(inputs=(part.inputs - shift) / scale) for part in parts]


def load_split(name: str, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Loads one split through TensorFlow Datasets, in its fixed order.

    Args:
        name: The name there of a set of images with classes.
        split: `"train"` or `"test"`.

    Returns:
        Images uint8 `[num_images, height, width, channels]`, labels int64
        `[num_images]`.

    Raises:
        ImportError, RuntimeError, ValueError: As `load_dataset`.
    """
    datasets = _import_tensorflow_datasets()
    try:
        images, labels = datasets.load(
            name, split=split, batch_size=-1, as_supervised=True, shuffle_files=False
        )
    except Exception as error:
        # The lines after the first may list every known data set.
        reason = str(error).partition("\n")[0].rstrip(".")
        raise RuntimeError(
            f"TensorFlow Datasets could not provide the {split} split of {name!r}: "
            f"{reason}. Name one of its sets of images of one size, with TFDS_DATA_DIR "
            "set to a folder of prepared data or the download allowed; or give the "
            f"path of an {SUFFIX} file; or use {EMBEDDED!r}."
        ) from error
    return _checked(name, images.numpy(), labels.numpy())


def _checked(
    name: str, images: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    is_labelled = labels.ndim == 1 and np.issubdtype(labels.dtype, np.integer)
    if images.ndim != 4 or images.dtype != np.uint8 or not is_labelled:
        raise ValueError(
            f"{name!r} has {images.dtype} inputs of the shape {images.shape} and "
            f"{labels.dtype} targets of the shape {labels.shape}; images of bytes with "
            f"one class each are needed. Save other data as an {SUFFIX} file, and give "
            "its path."
        )
    return images, labels


def _import_tensorflow_datasets() -> ModuleType:
    """Imports the library on demand: it is large, and an extra."""
    try:
        import tensorflow_datasets  # noqa: PLC0415
    except ImportError as error:
        raise ImportError(
            f"TensorFlow Datasets cannot be imported ({error}). Install the extra "
            f"`ganno-keras[train]`, or use {EMBEDDED!r}, which does without."
        ) from error
    return tensorflow_datasets
