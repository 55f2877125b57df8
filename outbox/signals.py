"""The socket for who watches deliveries; what fails there changes nothing about them."""

from __future__ import annotations

from typing import Final

from django.dispatch import Signal

# Sent with ``destination``, its name, ``messages`` and their ``outcomes``, both in the same order,
# and ``began`` and ``ended`` in nanoseconds since 1970, after a batch was handed over.
handed_over: Final = Signal()
