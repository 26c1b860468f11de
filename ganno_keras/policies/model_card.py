# SPDX-License-Identifier: Apache-2.0
"""The page that a hub shows for a policy."""

from __future__ import annotations

import json
from typing import Final

from ganno_keras.policies.description import describe
from ganno_keras.policies.metadata import PolicyMetadata

_TEMPLATE: Final = """\
---
library_name: ganno-keras
tags:
- keras
- learning-rate
- meta-learning
- reinforcement-learning
---

# {name}

A policy for `ganno_keras`: it sets the learning rate of every layer while a Keras model
trains, after [Generalisable Agents for Neural Network Optimisation](https://arxiv.org/abs/2311.18598).

```python
from ganno_keras import GANNO

model.fit(x, y, callbacks=[GANNO(policy="{address}")])
```

`pip install 'ganno-keras[hub]'` first. Write `{address}@COMMIT` with a commit of this
repository to use exactly this policy for good.

| | |
| --- | --- |
{table}

## Training

```json
{trained_on}
```

## Scores

```json
{scores}
```

## Trust

A policy is a TensorFlow SavedModel, and a SavedModel is a program. The digest is
checked before it is loaded: it shows that the files are complete and unchanged, not
who made them. Load policies of people you trust. This page was made from
`assets.extra/ganno.json`.
"""


def model_card(metadata: PolicyMetadata, address: str) -> str:
    """Writes the card of a policy, in Markdown, from the policy's description.

    Args:
        metadata: The description of the policy.
        address: Its future address, such as `"hf://owner/name"`.
    """
    rows = describe(metadata).items()
    table = [f"| {_cell(head)} | {_cell(text)} |" for head, text in rows]
    return _TEMPLATE.format(
        name=_cell(metadata.name),
        address=address,
        table="\n".join(table),
        trained_on=json.dumps(dict(metadata.trained_on), indent=1),
        scores=json.dumps(dict(metadata.scores), indent=1),
    )


def _cell(text: str) -> str:
    """Escapes text so that it ends neither its cell of the table nor its line."""
    return " ".join(text.split()).replace("|", "\\|")
