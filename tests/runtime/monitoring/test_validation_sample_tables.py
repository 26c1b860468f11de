# SPDX-License-Identifier: Apache-2.0
"""What `fit` takes as validation data, the sample takes: tables and sparse matrices."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from ganno_keras import GANNO
from ganno_keras.monitoring.validation_sample import ValidationSample
from tests.support.models import tiny_data, tiny_model

pytestmark = [
    pytest.mark.backend,
    pytest.mark.filterwarnings("ignore:This fit has"),
]

X, Y = tiny_data(96)


class Sparse:
    """As a sparse matrix of SciPy, which need not be installed."""

    shape = X.shape

    def toarray(self):
        return X.astype("float64")


class Column:
    """As a column of pandas, which need not be installed."""

    def __array__(self, dtype=None, copy=None):
        return np.asarray(Y, dtype)

    def to_numpy(self):
        return Y


def measured(data):
    return ValidationSample(data).measure(tiny_model())


@pytest.mark.parametrize("data", [(Sparse(), Y), (X, Column()), (Sparse(), Column())])
def test_table__is_measured_as_the_array_that_it_holds(data):
    assert measured(data) == measured((X, Y))


def tables():
    pandas = pytest.importorskip("pandas")
    # Of float64: with float32 beside booleans Keras itself would not know what to do.
    columns = {f"x{i}": X[:, i].astype("float64") for i in range(3)}
    columns |= {"a": X[:, 3] > 0, "b": (10 * X[:, 4]).astype("int32"), "c": X[:, 5] > 0}
    return pandas.DataFrame(columns), pandas.Series(Y)


def test_data_frame__with_booleans_is_taken_as_fit_takes_it():
    frame, labels = tables()
    dense = np.stack([np.asarray(frame[name], "float32") for name in frame], axis=1)
    assert measured((frame, labels)) == measured((dense, Y))
    model, data = tiny_model(), (frame[:32], labels[:32])
    ganno = GANNO("no-op", interval=2, validation_data=data)
    model.fit(
        frame, labels, epochs=2, verbose=0, validation_data=data, callbacks=[ganno]
    )
    assert np.isfinite(ganno.history.measured("validation_loss")).all()


def test_sparse_matrix__of_scipy_is_taken_as_fit_takes_it():
    scipy = pytest.importorskip("scipy.sparse")
    sparse = scipy.csr_matrix(np.where(X > 0, X, 0.0))
    ganno = GANNO("no-op", interval=2, validation_data=(sparse[:32], Y[:32]))
    dense = GANNO("no-op", interval=2, validation_data=(sparse[:32].toarray(), Y[:32]))
    for callback in (ganno, dense):
        tiny_model().fit(
            sparse, Y, epochs=2, shuffle=False, verbose=0, callbacks=[callback]
        )
    np.testing.assert_array_equal(
        ganno.history.measured("validation_loss"),
        dense.history.measured("validation_loss"),
    )


def test_dtype__of_floats_is_that_of_keras():
    sample = ValidationSample((X.astype("float64"), Y))
    assert sample._batches[0][0].dtype == keras.config.floatx()
