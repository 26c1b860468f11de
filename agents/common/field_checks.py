# SPDX-License-Identifier: Apache-2.0
"""Checks fields of configurations, with errors that name the field."""

from __future__ import annotations

from collections.abc import Sequence


def require_positive(record: object, *names: str) -> None:
    """Refuses fields that are not above 0."""
    for name in names:
        value = getattr(record, name)
        if not value > 0:
            raise ValueError(
                f"{name} is {value!r}; it has to be above 0. Choose a larger value."
            )


def require_not_negative(record: object, *names: str) -> None:
    """Refuses fields that are below 0."""
    for name in names:
        value = getattr(record, name)
        if not value >= 0:
            raise ValueError(
                f"{name} is {value!r}; it has to be 0 or above. Choose a larger value."
            )


def require_range(record: object, *names: str) -> None:
    """Refuses fields that are no range to sample from log-uniformly."""
    for name in names:
        value = getattr(record, name)
        if len(value) != 2 or not 0 < value[0] <= value[1]:
            raise ValueError(
                f"{name} is {value!r}; a pair (lowest, highest) with 0 < lowest <= "
                "highest is needed, since values are sampled log-uniformly. Write one."
            )


def require_probability(record: object, *names: str) -> None:
    """Refuses fields that are not between 0 and 1."""
    for name in names:
        value = getattr(record, name)
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"{name} is {value!r}; give a share between 0 and 1.")


def require_choice(record: object, name: str, choices: Sequence[str]) -> None:
    """Refuses a field that is none of the choices."""
    value = getattr(record, name)
    if value not in choices:
        raise ValueError(f"{name} is {value!r}; choose one of {', '.join(choices)}.")
