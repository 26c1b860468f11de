# SPDX-License-Identifier: Apache-2.0
"""The second experiment: fine-tuning and LoRA."""
