# SPDX-License-Identifier: Apache-2.0
"""The samples of the field: images, characters of sources, drawn tables and series."""
