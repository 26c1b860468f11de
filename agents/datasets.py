# SPDX-License-Identifier: Apache-2.0
"""Image data sets as arrays: the embedded one, and the originals through TFDS.

`tensorflow_datasets` looks for prepared data in the folder that the environment
variable TFDS_DATA_DIR names, and downloads what it does not find.
"""

from __future__ import annotations

from types import ModuleType
from typing import Final

import numpy as np

from ganno_keras.datasets import (
    LabelledImages,
    from_bytes,
    load_embedded_fashion_mnist,
)

EMBEDDED: Final = "embedded_fashion_mnist"
DOWNLOADED: Final = ("cifar10", "fashion_mnist")
DATASETS: Final = (EMBEDDED, *DOWNLOADED)


def load_dataset(name: str) -> tuple[LabelledImages, LabelledImages]:
    """Loads a data set by name.

    Args:
        name: One of `DATASETS`. Only the embedded one needs no download.

    Returns:
        Training and test set: images float32 `[num_images, height, width, channels]`
        in [0, 1], labels int32 `[num_images]`.

    Raises:
        ValueError: If there is no data set of that name.
        ImportError: If TensorFlow Datasets is needed and not installed.
        RuntimeError: If TensorFlow Datasets cannot provide the data.

    Example:

        >>> train, test = load_dataset("embedded_fashion_mnist")
        >>> train.images.shape
        (8000, 28, 28, 1)
    """
    if name == EMBEDDED:
        return load_embedded_fashion_mnist()
    if name not in DOWNLOADED:
        raise ValueError(f"There is no data set {name!r}. There are: {DATASETS}.")
    return (
        from_bytes(*load_split(name, "train")),
        from_bytes(*load_split(name, "test")),
    )


def standardise(*parts: LabelledImages) -> list[LabelledImages]:
    """Shifts and scales each colour channel to mean 0 and deviation 1.

    Args:
        parts: Images that are treated alike; mean and deviation are the first one's.

    Example:

        >>> train, test = standardise(*load_dataset("embedded_fashion_mnist"))
        >>> round(float(train.images.std()), 3)
        1.0
    """
    # A sum of fifty million float32 pixels would stop growing at 2 ** 24.
    mean = parts[0].images.mean(axis=(0, 1, 2), dtype=np.float64)
    deviation = parts[0].images.std(axis=(0, 1, 2), dtype=np.float64)
    shift, scale = mean.astype(np.float32), deviation.astype(np.float32)
    return [part._replace(images=(part.images - shift) / scale) for part in parts]


def load_split(name: str, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Loads one split through TensorFlow Datasets, in its fixed order.

    Args:
        name: Name of the data set there.
        split: `"train"` or `"test"`.

    Returns:
        Images uint8 `[num_images, height, width, channels]`, labels int64
        `[num_images]`.
    """
    datasets = _import_tensorflow_datasets()
    try:
        images, labels = datasets.load(
            name, split=split, batch_size=-1, as_supervised=True, shuffle_files=False
        )
    except Exception as error:
        raise RuntimeError(
            f"TensorFlow Datasets could not provide the {split} split of {name!r}: "
            f"{error}. Set TFDS_DATA_DIR to a folder of prepared data, allow the "
            f"download, or use {EMBEDDED!r}, which needs neither."
        ) from error
    return images.numpy(), labels.numpy()


def _import_tensorflow_datasets() -> ModuleType:
    """Imports the library when it is needed: it is large, and an extra."""
    try:
        import tensorflow_datasets  # noqa: PLC0415
    except ImportError as error:
        raise ImportError(
            f"TensorFlow Datasets cannot be imported ({error}). Install the extra "
            f"`ganno-keras[train]`, or use {EMBEDDED!r}, which does without."
        ) from error
    return tensorflow_datasets
