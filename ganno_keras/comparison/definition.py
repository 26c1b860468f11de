# SPDX-License-Identifier: Apache-2.0
"""What a comparison is of, to notice results of another one."""

from __future__ import annotations

import json
import warnings
import zlib
from collections.abc import Mapping
from typing import Any, Final

import keras
import numpy as np

import ganno_keras
from ganno_keras.callbacks.ganno import GANNO

_UNSTABLE: Final = {
    *("name", "build_config", "registered_name", "inbound_nodes", "input_layers"),
    *("output_layers", "module"),
}
"""Parts of a configuration that differ between two equal models."""


def definition_of(
    model: keras.Model,
    arguments: Mapping[str, Any],
    held_out: Mapping[str, Any],
    ganno: Mapping[str, Any],
) -> dict[str, str]:
    """Describes a comparison by what can be seen of it.

    The code of functions cannot be seen, only the layers, shapes and numbers that come
    of it.

    Args:
        model: Compiled.
        arguments: The arguments of `fit`.
        held_out: The samples that trainings are judged by.
        ganno: The arguments of `GANNO`.
    """
    metadata = GANNO(**ganno)._settings.policy.metadata
    shapes = [tuple(it.shape) for it in model.weights]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of functions that could not be loaded again
        network = _configuration(model)
        optimizer = _text(_stable(model.optimizer.get_config()))
    return {
        "model": f"{network} {shapes if model.built else ''}",
        "optimizer": optimizer,
        "loss": _text(model.loss),
        "fit": _text({name: _described(it) for name, it in arguments.items()}),
        "held out": _text({name: _described(it) for name, it in held_out.items()}),
        "GANNO": _text({name: _described(it) for name, it in ganno.items()}),
        "policy": f"{metadata.name} {metadata.digest or ''}".strip(),
        "versions": f"ganno_keras {ganno_keras.__version__}, keras {keras.__version__}",
    }


def differing(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Returns the names of the parts in which two definitions differ."""
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


def _configuration(model: keras.Model) -> str:
    """Returns a digest of a model's configuration; nothing where it has none."""
    try:
        text = _text(_stable(model.get_config()))
    except Exception:
        return type(model).__name__
    return f"{type(model).__name__} {zlib.crc32(text.encode()):08x}"


def _stable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: _stable(it) for name, it in value.items() if name not in _UNSTABLE
        }
    if isinstance(value, list | tuple):
        return [_stable(it) for it in value]
    return value


def _described(value: Any) -> Any:
    """Describes an argument: numbers by themselves, arrays by a digest."""
    if isinstance(value, np.ndarray):
        digest = "" if value.dtype.hasobject else f"{_digest(value):08x}"
        return f"{value.dtype}{value.shape} {digest}"
    if isinstance(value, Mapping):
        return {str(name): _described(it) for name, it in value.items()}
    if isinstance(value, list | tuple):
        return [_described(it) for it in value]
    if value is None or isinstance(value, str | int | float):
        return value
    return type(value).__name__


def _digest(array: np.ndarray) -> int:
    return zlib.crc32(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=lambda it: type(it).__name__)
