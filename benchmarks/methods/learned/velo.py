# SPDX-License-Identifier: Apache-2.0
"""Runs VeLO, a public pretrained learned optimizer on JAX.

It reads gradients, weights and the loss. There is no rate to set, but the length of the
training must be known. It needs the package `learned_optimization` of
https://github.com/google/learned_optimization, and two files of weights in the folder
that the environment variable GANNO_VELO names. Without both the method is skipped. The
package adds weight decay as a penalty on the squared weights, in the gradient and in
the loss that VeLO reads. It is not decoupled.

The steps follow the published source; they could not be tried:

1. Install JAX, and the package from a clone, with `--no-deps`. The release on PyPI,
   0.0.1, is older than VeLO. Its pins (flax 0.3.3, absl-py 0.12.0, tensorflow-metadata
   1.5.0) cannot be had beside the versions of `constraints.txt`. Install what it
   imports (flax, dm-haiku, optax, chex, gin-config) in versions that go with your JAX.
2. Put `params` and `config.gin` of the optimizer
   `aug12_continue_on_bigger_2xbs_200kstep_bigproblem_v2_5620` into the folder. They are
   in `gs://gresearch/learned_optimization/pretrained_lopts/`.

Paper: Metz et al., "VeLO: Training Versatile Learned Optimizers by Scaling Up"
(arXiv 2211.09760).
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np

from ...records.cells import Cell
from ..method import Method, TrainingContext, TrainingParts
from .optax_optimizer import OptaxOptimizer, TellingModel, Transformation

WEIGHTS_VARIABLE: Final = "GANNO_VELO"
FILES: Final = ("params", "config.gin")
PACKAGES: Final = ("jax", "learned_optimization")
PUBLISHED: Final = (
    "gs://gresearch/learned_optimization/pretrained_lopts/"
    "aug12_continue_on_bigger_2xbs_200kstep_bigproblem_v2_5620"
)


def _make(context: TrainingContext) -> TrainingParts:
    optimizer = OptaxOptimizer(
        _transformation(context.num_updates, context.cell.weight_decay)
    )

    def adapt(model: keras.Model) -> keras.Model:
        return TellingModel(model.inputs, model.outputs)

    return TrainingParts(optimizer, adapt=adapt)


def _transformation(num_updates: int, weight_decay: float) -> Transformation:
    # No extra of this project installs them.
    import jax  # noqa: PLC0415
    from learned_optimization.learned_optimizers import (  # noqa: PLC0415
        opt_from_checkpoint,
    )
    from learned_optimization.research.general_lopt import prefab  # noqa: PLC0415

    path = str(_folder() / FILES[0])
    velo = prefab.optax_lopt(
        num_updates,
        weight_decay=weight_decay,
        base_lopt_fn=lambda: opt_from_checkpoint.opt_from_checkpoint(path),
    )

    def update(gradients: Any, state: Any, weights: Any, loss: np.ndarray) -> Any:
        return velo.update(gradients, state, weights, extra_args={"loss": loss})

    return Transformation(velo.init, jax.jit(update))


def _folder() -> Path:
    return Path(os.environ.get(WEIGHTS_VARIABLE, ""))


def _reason_unavailable(_: Cell | None = None) -> str:
    missing = [name for name in PACKAGES if not importlib.util.find_spec(name)]
    if missing:
        return (
            f"VeLO cannot be run: {' and '.join(missing)} cannot be imported. Install "
            "JAX, and learned_optimization from github.com/google/learned_optimization."
        )
    if not os.environ.get(WEIGHTS_VARIABLE):
        given = f"{WEIGHTS_VARIABLE} is not set"
    elif absent := [name for name in FILES if not (_folder() / name).is_file()]:
        given = f"{_folder()} has no {' and no '.join(absent)}"
    else:
        return ""
    return (
        f"The weights of VeLO are not there: {given}. Set {WEIGHTS_VARIABLE} to a "
        f"folder with the files {' and '.join(FILES)} of {PUBLISHED}."
    )


def _identity() -> dict[str, Any]:
    path = _folder() / FILES[0]
    if not path.is_file():
        return {}
    return {"weights": hashlib.sha256(path.read_bytes()).hexdigest()}


VELO: Final = Method(
    _make,
    "nothing but the length",
    reason_unavailable=_reason_unavailable,
    identity=_identity,
)
