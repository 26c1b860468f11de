# SPDX-License-Identifier: Apache-2.0
"""Learning rates for Keras 3, chosen for every layer.

Nothing here needs more than keras, tensorflow and numpy.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from ganno_keras.policies import list_policies, load_policy

if TYPE_CHECKING:
    from ganno_keras.callbacks.ganno import GANNO
    from ganno_keras.callbacks.learning_rate_histograms import LearningRateHistograms
    from ganno_keras.callbacks.live_plot import LivePlot
    from ganno_keras.comparison.compare import compare
    from ganno_keras.comparison.comparison import Comparison
    from ganno_keras.control.history import GannoHistory, GuardEvent
    from ganno_keras.control.layer_groups import LayerGroup, layer_groups
    from ganno_keras.learning_rate_finder import LearningRateCurve, find_learning_rate
    from ganno_keras.optimizers.layerwise_optimizer import LayerwiseOptimizer
    from ganno_keras.summaries.fit_summary import FitSummary

try:
    __version__ = version("ganno-keras")
except PackageNotFoundError:  # A clone on the path, not installed.
    __version__ = "0.0.0+clone"

__all__ = [
    "GANNO",
    "Comparison",
    "FitSummary",
    "GannoHistory",
    "GuardEvent",
    "LayerGroup",
    "LayerwiseOptimizer",
    "LearningRateCurve",
    "LearningRateHistograms",
    "LivePlot",
    "__version__",
    "compare",
    "find_learning_rate",
    "layer_groups",
    "list_policies",
    "load_policy",
]

_NEEDS_KERAS = {
    "Comparison": "ganno_keras.comparison.comparison",
    "FitSummary": "ganno_keras.summaries.fit_summary",
    "GANNO": "ganno_keras.callbacks.ganno",
    "GannoHistory": "ganno_keras.control.history",
    "GuardEvent": "ganno_keras.control.history",
    "LayerGroup": "ganno_keras.control.layer_groups",
    "LayerwiseOptimizer": "ganno_keras.optimizers.layerwise_optimizer",
    "LearningRateCurve": "ganno_keras.learning_rate_finder",
    "LearningRateHistograms": "ganno_keras.callbacks.learning_rate_histograms",
    "LivePlot": "ganno_keras.callbacks.live_plot",
    "compare": "ganno_keras.comparison.compare",
    "find_learning_rate": "ganno_keras.learning_rate_finder",
    "layer_groups": "ganno_keras.control.layer_groups",
}


def __getattr__(name: str) -> Any:
    """Imports at first use what needs Keras: that takes seconds, `ganno info` none."""
    if name not in _NEEDS_KERAS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_NEEDS_KERAS[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
