# SPDX-License-Identifier: Apache-2.0
"""Which Keras is in a process is decided by `agents`, never by `ganno_keras`."""

from __future__ import annotations

import pytest

from tests.support.processes import run_python

pytestmark = pytest.mark.slow


def test_agents__chooses_the_legacy_keras_before_tensorflow_is_imported():
    result = run_python(
        "import agents, keras, tensorflow as tf\n"
        "print(keras.__version__[0], tf.keras.layers.Layer.__module__.split('.')[0])"
    )
    assert result.stdout.split() == ["3", "tf_keras"], result.stderr


def test_agents__says_what_to_do_when_tensorflow_came_first_with_keras_3():
    result = run_python("import tensorflow, agents")
    assert result.returncode == 1
    assert "RuntimeError: tf.keras comes from the package 'keras'" in result.stderr
    assert "import `agents` first" in result.stderr


def test_ganno_keras__imports_none_of_the_meta_training_libraries():
    result = run_python(
        "import os, sys\n"
        "from ganno_keras import *\n"  # What needs Keras is imported at first use.
        "names = {name.partition('.')[0] for name in sys.modules}\n"
        "banned = {'agents', 'tensorflow_datasets', 'tf_agents',\n"
        "          'tensorflow_probability', 'tf_keras'}\n"
        "print(sorted(banned & names), 'TF_USE_LEGACY_KERAS' in os.environ)"
    )
    assert result.stdout.strip() == "[] False", result.stderr
