# SPDX-License-Identifier: Apache-2.0
"""What happened, in words and tables, for a terminal and for a notebook."""
