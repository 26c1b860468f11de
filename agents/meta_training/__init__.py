# SPDX-License-Identifier: Apache-2.0
"""A run that can be killed and resumed: its loop, its folder, its policy."""

from importlib.util import find_spec

if find_spec("tf_agents") is None:
    raise ModuleNotFoundError(
        "Meta-training needs TF-Agents, which is not installed. The extra 'train' has "
        "what it imports: pip install -c constraints.txt -e '.[train]'. TF-Agents "
        "itself comes without its pins, which few Pythons can satisfy: "
        "pip install --no-deps tf-agents==0.19.0",
        name="tf_agents",
    )
