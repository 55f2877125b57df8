"""Seal the keys of all devices under the ``SECRET_KEY`` of now, so that earlier ones can go."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from config import device_keys
from config.models import SealedDevice


class Command(BaseCommand):
    """Seal the keys of second factors under the key of now."""

    help = (
        "Seal the keys of all second factors under the SECRET_KEY of now: those that an earlier "
        "version kept as they were, and those under one of SECRET_KEY_FALLBACKS. The names of "
        "accounts whose key cannot be opened go to standard output, a line each. Exit 0: all are "
        "sealed, 1: some cannot be opened."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Seal one after another; who logs in meanwhile waits for one row only."""
        del args, options
        sealed, lost = 0, set()
        for pk in SealedDevice.objects.order_by("pk").values_list("pk", flat=True):
            with transaction.atomic():
                device = SealedDevice.objects.select_for_update().filter(pk=pk).first()
                try:
                    if device is not None and device.seal_anew():
                        device.save(update_fields=["key"])
                        sealed += 1
                except device_keys.Unreadable:
                    lost.add(device.user.get_username())
        self.stderr.write(f"{sealed} sealed under the key of now.")
        if lost:
            self.stdout.write("\n".join(sorted(lost)))
            message = (
                f"{len(lost)} cannot be opened: run this with the key of then in "
                "SECRET_KEY_FALLBACKS, or take them away by reset_second_factor."
            )
            raise CommandError(message, returncode=1)
