# SPDX-License-Identifier: Apache-2.0
"""Tables, time series and sums that are drawn, the same ones every time."""

from __future__ import annotations

from typing import Final

import numpy as np

from ..training import MOST_HELD_OUT, Data, num_held_out
from .images import guessing

NUM_TEST: Final = 3000
NUM_USERS: Final = 400
NUM_ITEMS: Final = 300


def _parts(x: np.ndarray, y: np.ndarray, num_train: int, chance: float) -> Data:
    end, held_out = MOST_HELD_OUT + num_train, num_held_out(num_train)
    return Data(
        (x[MOST_HELD_OUT:end], y[MOST_HELD_OUT:end]),
        (x[:held_out], y[:held_out]),
        (x[end:], y[end:]),
        chance,
    )


def _table(count: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Twelve columns that go together, and a group of eight as numbers 0 and 1."""
    mixing = random.normal(size=(12, 12)) / np.sqrt(12)
    columns = random.normal(size=(count, 12)) @ (np.eye(12) + mixing)
    skewed = np.where(np.arange(12) % 4 == 0, np.exp(0.5 * columns), columns)
    skewed = (skewed - skewed.mean(axis=0)) / skewed.std(axis=0)
    groups = random.choice(8, count, p=np.arange(1, 9) / 36)
    return skewed.astype(np.float32), groups


def _hidden_function(
    columns: np.ndarray, groups: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """Steps, products and waves of columns, which differ between groups."""
    a, b, c, d, e = columns[:, :5].T
    by_group = random.normal(size=(8, 3))[groups]
    value = by_group[:, 0] + by_group[:, 1] * a + np.sin(2.0 * b) * (c > 0)
    value += 0.7 * d * e + by_group[:, 2] * np.maximum(columns[:, 5], 0.0)
    value += np.where(columns[:, 6] > 0.5, columns[:, 7], -columns[:, 8])
    return np.asarray((value - value.mean()) / value.std())


def _drawn_table(
    num_train: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    random = np.random.default_rng(seed)
    columns, groups = _table(MOST_HELD_OUT + num_train + NUM_TEST, random)
    value = _hidden_function(columns, groups, random)
    x = np.concatenate([columns, np.eye(8, dtype=np.float32)[groups]], axis=1)
    return x, value, random


def table_classes(num_train: int, num_classes: int = 2, seed: int = 5) -> Data:
    """A table whose rows belong to classes, a tenth of them to another one."""
    x, value, random = _drawn_table(num_train, seed)
    noisy = value + random.normal(0.0, 0.25, len(value))
    limits = np.quantile(noisy, np.linspace(0, 1, num_classes + 1)[1:-1])
    y = np.digitize(noisy, limits).astype(np.int32)
    return _parts(x, y, num_train, guessing(y[-NUM_TEST:]))


def table_numbers(num_train: int, seed: int = 6) -> Data:
    """A table with a number to predict, of deviation 1, with noise in it."""
    x, value, random = _drawn_table(num_train, seed)
    y = (value + random.normal(0.0, 0.3, len(value))).astype(np.float32)[:, None]
    return _parts(x, y, num_train, float(y[-NUM_TEST:].var()))


def engine_sounds(num_train: int, length: int, seed: int = 7) -> Data:
    """Noisy oscillations of two or three tones; the class is which tones are there."""
    random = np.random.default_rng(seed)
    count = MOST_HELD_OUT + num_train + NUM_TEST
    y = random.integers(0, 4, count).astype(np.int32)
    time = np.arange(length)
    phases = random.uniform(0.0, 2.0 * np.pi, (count, 3, 1))
    sizes = random.uniform(0.5, 1.5, (count, 3, 1))
    tones = np.array([[4, 7, 11], [4, 7, 12], [4, 8, 11], [5, 7, 11]])[y][..., None]
    speed = random.uniform(0.95, 1.05, (count, 1, 1))
    waves = sizes * np.sin(2.0 * np.pi * tones * speed * time / length + phases)
    x = waves.sum(axis=1) + random.normal(0.0, 1.0, (count, length))
    x = ((x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True))[..., None]
    return _parts(x.astype(np.float32), y, num_train, guessing(y[-NUM_TEST:]))


def weather(num_train: int, length: int, seed: int = 8) -> Data:
    """Six measured values over time, and the first of them six steps later."""
    random = np.random.default_rng(seed)
    num_steps = 40_000
    state = np.zeros((num_steps, 6))
    mixing = 0.93 * np.linalg.qr(random.normal(size=(6, 6)))[0]
    shocks = random.normal(0.0, 0.3, (num_steps, 6))
    for step in range(1, num_steps):
        state[step] = np.tanh(mixing @ state[step - 1]) * 1.1 + shocks[step]
    hours = np.arange(num_steps)[:, None]
    state += np.sin(2.0 * np.pi * hours / np.array([24, 24, 12, 168, 24, 50]))
    state = ((state - state.mean(axis=0)) / state.std(axis=0)).astype(np.float32)
    count = MOST_HELD_OUT + num_train + NUM_TEST
    starts = np.sort(random.integers(0, num_steps - length - 6, count))
    # The earliest are trained on: nobody may look into the future.
    order = random.permutation(count - NUM_TEST)
    starts[: count - NUM_TEST] = starts[order]
    x = state[starts[:, None] + np.arange(length)]
    y = state[starts + length + 5, :1]
    return _parts(x, y, num_train, float(y[-NUM_TEST:].var()))


def ratings(num_train: int, seed: int = 10) -> Data:
    """Who rates what, from 1 to 5: tastes in four respects, moods and noise.

    The deviation of the ratings is 1, so guessing scores about 1.
    """
    random = np.random.default_rng(seed)
    count = MOST_HELD_OUT + num_train + NUM_TEST
    users = random.integers(0, NUM_USERS, count)
    items = random.integers(0, NUM_ITEMS, count)
    tastes = random.normal(size=(NUM_USERS, 4)), random.normal(size=(NUM_ITEMS, 4))
    value = 0.5 * (tastes[0][users] * tastes[1][items]).sum(axis=1)
    value += 0.5 * random.normal(size=NUM_USERS)[users]
    value += 0.7 * random.normal(size=NUM_ITEMS)[items]
    stars = np.clip(np.round(3.0 + value + random.normal(0.0, 0.5, count)), 1, 5)
    y = ((stars - stars.mean()) / stars.std()).astype(np.float32)[:, None]
    x = np.stack([users, items], axis=1).astype(np.int32)
    return _parts(x, y, num_train, float(y[-NUM_TEST:].var()))


def additions(num_train: int) -> Data:
    """Sums of two numbers below 100 as digits, each written backwards.

    Args:
        num_train: At most 6,000: each of the 10,000 sums is there once.
    """
    count = MOST_HELD_OUT + num_train + NUM_TEST
    pairs = np.random.default_rng(9).permutation(100 * 100)[:count]
    first, second = pairs // 100, pairs % 100
    plus = np.full((count, 1), 10)
    questions = [_backwards(first, 2), plus, _backwards(second, 2)]
    y = _backwards(first + second, 3)
    x = np.concatenate(questions, axis=1).astype(np.int32)
    return _parts(x, y, num_train, _error_by_place(y[-NUM_TEST:]))


def _error_by_place(digits: np.ndarray) -> float:
    return float(np.mean([guessing(column) for column in digits.T]))


def _backwards(numbers: np.ndarray, num_digits: int) -> np.ndarray:
    """Digits from the last one.

    Example:

        >>> _backwards(np.array([12]), 3).tolist()
        [[2, 1, 0]]
    """
    powers = 10 ** np.arange(num_digits)
    return (numbers[:, None] // powers % 10).astype(np.int32)


def as_reconstruction(data: Data) -> Data:
    """Inputs as the targets of themselves; guessing is the mean of each place."""
    parts = [(x, x) for x, _ in data[:3]]
    guess = parts[0][0].mean(axis=0)
    return Data.of_parts(parts, float(np.square(parts[2][0] - guess).mean()))
