# SPDX-License-Identifier: Apache-2.0
"""Meta-training by branches: a policy learns what each action would have come to."""
