# SPDX-License-Identifier: Apache-2.0
"""A plugin for pytest: every optimizer that a test makes is layerwise from then on.

All groups have the rate of the optimizer, and the statistics are taken at every update.
What is refused (`MultiOptimizer`) stays as it is, and is counted; so do optimizers with
a schedule, which the layerwise rates would replace.
"""

from __future__ import annotations

import functools
from collections import Counter
from typing import Any

import keras
import pytest

from ganno_keras.optimizers import layer_table as _layer_table
from ganno_keras.optimizers.backend import has_own_schedule
from ganno_keras.optimizers.layerwise_optimizer import LayerwiseOptimizer
from ganno_keras.optimizers.specialised_optimizer import is_several

# The numbers of an optimizer's variables, and nothing else, are counted there; on JAX
# all that changes has to be among them.
NOT_APPLICABLE = {
    "jax": ("OptimizerTest::test_set_weights", "SGDTest::test_single_step"),
}


class AttachEveryOptimizer:
    """Exchanges the constructors of Keras' optimizers as long as pytest runs.

    Args:
        learning_rate_factor: What all rates are multiplied by, to see that a test
            notices: 1 is the promise.
    """

    def __init__(self, learning_rate_factor: float = 1.0) -> None:
        self.num_attached = 0
        self.refused: Counter[str] = Counter()
        self._factor = learning_rate_factor
        self._patch = pytest.MonkeyPatch()

    def pytest_configure(self) -> None:
        """Comes before any test module is imported."""
        for cls in vars(keras.optimizers).values():
            if isinstance(cls, type) and issubclass(cls, keras.optimizers.Optimizer):
                self._attach_when_made(cls)
        self._measure_always()

    def pytest_unconfigure(self) -> None:
        """Leaves Keras as it was."""
        self._patch.undo()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Skips what is about something else on this backend."""
        names = NOT_APPLICABLE.get(keras.backend.backend(), ())
        for item in items:
            if item.nodeid.endswith(names):
                item.add_marker(pytest.mark.skip(reason="counts optimizer.variables"))

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        """Says how many optimizers the tests have made."""
        refused = ", ".join(f"{n} {name}" for name, n in self.refused.most_common())
        terminalreporter.write_line(
            f"{self.num_attached} optimizers were made layerwise; refused and left as "
            f"they are: {refused or 'none'}"
        )

    def _attach_when_made(self, cls: type[keras.optimizers.Optimizer]) -> None:
        construct = cls.__init__

        @functools.wraps(construct)
        def construct_and_attach(optimizer: Any, *args: Any, **kwargs: Any) -> None:
            construct(optimizer, *args, **kwargs)
            # A subclass calls the constructors of its bases: the last to end counts.
            if type(optimizer).__init__ is construct_and_attach:
                self._attach(optimizer)

        self._patch.setattr(cls, "__init__", construct_and_attach)

    def _attach(self, optimizer: keras.optimizers.Optimizer) -> None:
        if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            return  # The optimizer inside it is layerwise already.
        if not is_several(optimizer) and has_own_schedule(optimizer):
            self.refused["with a schedule"] += 1
            return
        try:
            LayerwiseOptimizer(optimizer)
        except ValueError:
            self.refused[type(optimizer).__name__] += 1
        else:
            self.num_attached += 1

    def _measure_always(self) -> None:
        # By the initial values, which hold wherever a test builds its optimizer.
        create = _layer_table.new_variable

        def create_measuring(
            name: str, shape: Any, value: Any, *args: Any, **kwargs: Any
        ) -> Any:
            if name == "measuring":
                value = True
            elif name == "learning_rates":
                value = value * self._factor
            return create(name, shape, value, *args, **kwargs)

        self._patch.setattr(_layer_table, "new_variable", create_measuring)
