# SPDX-License-Identifier: Apache-2.0
"""The trainings of the field, one module a family."""
