# SPDX-License-Identifier: Apache-2.0
"""A summary of a policy for people, from its `ganno.json`.

The entries on training and scores are free JSON. Those that are missing or have
another form are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ganno_keras.policies.metadata import PolicyMetadata


def trained_timesteps(metadata: PolicyMetadata) -> int | None:
    """Returns the number of decisions in the policy's training; None if unknown.

    Example:

        >>> from ganno_keras import load_policy
        >>> trained_timesteps(load_policy("no-op").metadata) is None
        True
    """
    timesteps = metadata.trained_on.get("timesteps")
    return timesteps if isinstance(timesteps, int) else None


def mean_score(metadata: PolicyMetadata) -> float | None:
    """Returns the mean score at the policy's default temperature; None if unknown."""
    score = _entry(metadata.scores, "mean", "sampled" if metadata.sampled else "greedy")
    return float(score) if isinstance(score, int | float) else None


def is_script(metadata: PolicyMetadata) -> bool:
    """Returns whether the policy is code, which was not trained and samples nothing."""
    return "about" in metadata.trained_on


def describe(metadata: PolicyMetadata) -> dict[str, str]:
    """Summarises what a policy does and where it comes from.

    Returns:
        Text by heading, in the order to show them in.
    """
    spec, bounds = metadata.observation_spec, metadata.learning_rate_bounds
    if is_script(metadata):
        return {"about": str(metadata.trained_on["about"])}
    use = "drawn from its distribution" if metadata.sampled else "the likeliest ones"
    masked = f", hidden: {', '.join(sorted(spec.masked))}" if spec.masked else ""
    controlled = "all layers together" if metadata.single_agent else "each layer"
    lines = {
        "actions": f"{metadata.action_set.name} ({metadata.action_set.num_actions} "
        f"actions), {use} (temperature {metadata.default_temperature:g})",
        "interval": f"{metadata.interval} updates between two decisions",
        "without an end": ""
        if metadata.acts_without_end
        else "its agents rest in fits that callbacks may end",
        "learning rates": f"{bounds.minimum:g} to {bounds.maximum:g}",
        "observation": f"{spec.num_features} numbers for {controlled}{masked}",
        "trained on": _training(metadata),
        "code": str(metadata.trained_on.get("commit", "")),
        "libraries": _pairs(metadata.trained_on.get("libraries"), " "),
        "measured": str(metadata.scores.get("measure", "")),
        "mean score": _pairs(metadata.scores.get("mean"), " "),
        "worst score": _pairs(metadata.scores.get("worst"), " "),
        "digest": metadata.digest,
    }
    return {heading: text for heading, text in lines.items() if text}


def _training(metadata: PolicyMetadata) -> str:
    environment = _entry(metadata.trained_on, "configuration", "environment")
    tasks = _entry(environment, "tasks")
    timesteps = trained_timesteps(metadata)
    seed = _entry(metadata.trained_on, "configuration", "seed")
    # Tasks that differ in length or width alone have the same name.
    names = Counter(map(_task, tasks if isinstance(tasks, list) else []))
    parts = [name if n == 1 else f"{n} x {name}" for name, n in names.items() if name]
    if _entry(environment, "reward") is not None:
        parts.append(f"reward {_entry(environment, 'reward')}")
    if timesteps is not None:
        parts.append(f"{timesteps:,} timesteps")
    if seed is not None:
        parts.append(f"seed {seed}")
    return ", ".join(filter(None, parts))


def _task(task: Any) -> str:
    names = [_entry(task, key) for key in ("model", "dataset", "optimizer")]
    return " / ".join(str(name) for name in names if name is not None)


def _pairs(values: Any, separator: str) -> str:
    if not isinstance(values, Mapping):
        return ""
    return ", ".join(f"{name}{separator}{value}" for name, value in values.items())


def _entry(value: Any, *keys: str) -> Any:
    """Returns an entry deep in nested mappings; None if there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
