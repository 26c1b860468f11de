# SPDX-License-Identifier: Apache-2.0
"""Does a spike of the rate help a training out of a plateau, as Figure 3 has it?"""
