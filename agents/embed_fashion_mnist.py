# SPDX-License-Identifier: Apache-2.0
"""Makes the subset of Fashion-MNIST that ships with the package.

    python -m agents.embed_fashion_mnist

The draw depends on nothing but the number of each image, so everybody gets the same
arrays, on every version of every library.
"""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Final

import numpy as np

from ganno_keras._locations import data_directory
from ganno_keras.datasets import EMBEDDED_FILE

from .datasets import load_split

IMAGES_OF_A_CLASS: Final = {"train": 800, "test": 200}


def draw_balanced(labels: np.ndarray, images_of_a_class: int) -> np.ndarray:
    """Draws the same number of images of each class, in random order.

    Args:
        labels: Whole numbers `[num_images]`.
        images_of_a_class: How many to draw of each.

    Returns:
        Indices int64 `[num_classes * images_of_a_class]`.
    """
    taken: Counter[int] = Counter()
    chosen = []
    for index in sorted(range(len(labels)), key=_shuffling_key):
        label = int(labels[index])
        if taken[label] < images_of_a_class:
            taken[label] += 1
            chosen.append(index)
    return np.array(chosen, dtype=np.int64)


def embed(path: Path) -> None:
    """Draws both splits and writes them, losslessly, as one file of bytes."""
    arrays = {}
    for split, images_of_a_class in IMAGES_OF_A_CLASS.items():
        images, labels = load_split("fashion_mnist", split)
        chosen = draw_balanced(labels, images_of_a_class)
        arrays[f"{split}_images"] = images[chosen]
        arrays[f"{split}_labels"] = labels[chosen].astype(np.uint8)
    np.savez_compressed(path, allow_pickle=False, **arrays)


def _shuffling_key(index: int) -> bytes:
    """A random-looking, eternal sort key: no generator's stream is promised to last."""
    return sha256(str(index).encode()).digest()


if __name__ == "__main__":
    embed(data_directory() / EMBEDDED_FILE)
