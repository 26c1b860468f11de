# SPDX-License-Identifier: Apache-2.0
"""Makes the subset of Fashion-MNIST that ships with the package.

    python -m agents.embed_fashion_mnist

The sample follows from the images themselves. So everybody gets the same arrays, in
whatever order a version of a library delivers the images.
"""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Final

import numpy as np

from ganno_keras.datasets import EMBEDDED_FILE, data_directory

from .tasks.datasets import load_split

IMAGES_OF_A_CLASS: Final = {"train": 800, "test": 200}


def draw_balanced(
    images: np.ndarray, labels: np.ndarray, images_of_a_class: int
) -> np.ndarray:
    """Samples the same number of images of each class, in random order.

    Args:
        images: uint8 `[num_images, height, width, channels]`.
        labels: Whole numbers `[num_images]`.
        images_of_a_class: Number of images to sample of each class.

    Returns:
        Indices int64 `[num_classes * images_of_a_class]`.
    """
    # A digest is a random-looking sort key, the same with any version of a library.
    keys = [sha256(image.tobytes()).digest() for image in images]
    taken: Counter[int] = Counter()
    chosen = []
    for index in sorted(range(len(labels)), key=lambda index: keys[index]):
        label = int(labels[index])
        if taken[label] < images_of_a_class:
            taken[label] += 1
            chosen.append(index)
    # Without this, the end would hold only the class that filled up last.
    chosen.sort(key=lambda index: sha256(keys[index]).digest())
    return np.array(chosen, dtype=np.int64)


def embed(path: Path) -> None:
    """Samples both splits, and writes them to one file without loss."""
    arrays = {}
    for split, images_of_a_class in IMAGES_OF_A_CLASS.items():
        images, labels = load_split("fashion_mnist", split)
        chosen = draw_balanced(images, labels, images_of_a_class)
        arrays[f"{split}_images"] = images[chosen]
        arrays[f"{split}_labels"] = labels[chosen].astype(np.uint8)
    np.savez_compressed(path, allow_pickle=False, **arrays)


if __name__ == "__main__":
    embed(data_directory() / EMBEDDED_FILE)
