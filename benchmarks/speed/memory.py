# SPDX-License-Identifier: Apache-2.0
"""How much memory this process holds."""

from __future__ import annotations

from pathlib import Path


def resident_megabytes() -> float:
    """Returns the resident memory of this process (Linux).

    Raises:
        RuntimeError: If the system does not report it.
    """
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(
        "/proc/self/status does not say how much memory is resident; this benchmark "
        "needs Linux. Run it there."
    )
