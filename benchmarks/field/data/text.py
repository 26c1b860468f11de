# SPDX-License-Identifier: Apache-2.0
"""Characters of the standard library: its sources, and the texts of `pydoc`."""

from __future__ import annotations

import sysconfig
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from pydoc_data import topics
from typing import Final

import numpy as np

from ..training import Data, num_held_out
from .images import guessing

NUM_CHARACTERS: Final = 96
"""Printable ASCII, and the end of a line; all others are left out."""
PACKAGES: Final = (
    *("asyncio", "collections", "email", "encodings", "http", "importlib"),
    *("json", "logging", "multiprocessing", "unittest", "urllib", "xml"),
)
"""Whose source a snippet may be from."""
_SHARES: Final = (0.8, 0.1, 0.1)
"""Of a text: to train on, held out, to test on."""

Corpus = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Numbered characters to train on, held out and to test on."""


def numbered(text: str) -> np.ndarray:
    """Characters as numbers from 0.

    Example:

        >>> numbered("a b").tolist()
        [66, 1, 67]
    """
    codes = np.frombuffer(text.encode("ascii", "ignore"), np.uint8).astype(np.int32)
    codes = codes[(codes == ord("\n")) | ((codes >= ord(" ")) & (codes <= ord("~")))]
    return np.where(codes == ord("\n"), 0, codes - ord(" ") + 1).astype(np.int32)


def _cut(text: np.ndarray) -> Corpus:
    first, second = (np.cumsum(_SHARES)[:2] * len(text)).astype(int)
    return text[:first], text[first:second], text[second:]


def _read(paths: Sequence[Path]) -> np.ndarray:
    texts = [path.read_text(encoding="utf-8", errors="ignore") for path in paths]
    return numbered("\n".join(texts))


def _library() -> Path:
    return Path(sysconfig.get_path("stdlib"))


@lru_cache
def sources() -> Corpus:
    """The modules at the top of the standard library, in an order drawn once."""
    paths = sorted(_library().glob("*.py"))
    np.random.default_rng(0).shuffle(paths)
    return _cut(_read(paths))


@lru_cache
def english() -> Corpus:
    """The language reference as `help()` shows it."""
    return _cut(
        numbered("\n".join(topics.topics[key] for key in sorted(topics.topics)))
    )


@lru_cache
def _packages() -> list[Corpus]:
    folders = [_library() / name for name in PACKAGES]
    return [_cut(_read(sorted(folder.rglob("*.py")))) for folder in folders]


def next_characters(
    corpus: Callable[[], Corpus], num_train: int, length: int, num_test: int = 500
) -> Data:
    """Windows of a text, each position's target the character that follows."""
    random = np.random.default_rng(3)
    sizes = (num_train, min(500, num_held_out(num_train)), num_test)
    parts = []
    for text, size in zip(corpus(), sizes, strict=True):
        windows = _windows(text, size, length + 1, random)
        parts.append((windows[:, :-1], windows[:, 1:]))
    return Data.of_parts(parts, _entropy(parts[0][1], parts[2][1]))


def character_after(num_train: int, length: int, num_test: int = 2000) -> Data:
    """Windows of the sources, and the one character that follows each."""
    data = next_characters(sources, num_train, length, num_test)
    parts = [(x, y[:, -1]) for x, y in data[:3]]
    return Data.of_parts(parts, _entropy(parts[0][1], parts[2][1]))


def snippets(num_train: int, length: int, num_test: int = 2000) -> Data:
    """Windows of packages, and the package that each is from."""
    random = np.random.default_rng(4)
    parts = []
    for place, size in enumerate((num_train, num_held_out(num_train), num_test)):
        labels = random.integers(0, len(PACKAGES), size).astype(np.int32)
        x = np.zeros((size, length), np.int32)
        for label, package in enumerate(_packages()):
            chosen = labels == label
            x[chosen] = _windows(package[place], int(chosen.sum()), length, random)
        parts.append((x, labels))
    return Data.of_parts(parts, guessing(parts[2][1]))


def _windows(
    text: np.ndarray, count: int, length: int, random: np.random.Generator
) -> np.ndarray:
    starts = random.integers(0, len(text) - length, count)
    return text[starts[:, None] + np.arange(length)]


def _entropy(seen: np.ndarray, targets: np.ndarray) -> float:
    """The cross-entropy of the frequencies that were seen."""
    counts = np.bincount(seen.ravel(), minlength=NUM_CHARACTERS) + 1.0
    return float(-np.log(counts / counts.sum())[targets.ravel()].mean())
