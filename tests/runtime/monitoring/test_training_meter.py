# SPDX-License-Identifier: Apache-2.0
"""The totals of an epoch, wherever they are kept."""

from __future__ import annotations

import pytest

from ganno_keras.monitoring.training_meter import TrainingMeter
from tests.support.models import tiny_data, tiny_model

pytestmark = pytest.mark.backend

X, Y = tiny_data()


def test_epoch_totals__count_all_batches_that_reset_the_metrics():
    model = tiny_model()
    meter = TrainingMeter(model, None)
    for _ in range(2):
        meter.begin_epoch()
        for size in (12, 4):
            model.train_on_batch(X[:size], Y[:size])
            meter.take_batch()
        assert meter.epoch_totals()[0, 1] == 16
