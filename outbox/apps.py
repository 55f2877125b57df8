from django.apps import AppConfig


class OutboxConfig(AppConfig):
    """Listens to case events and owes each of them to the configured destinations."""

    name = "outbox"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Plug the receiver in and register the system checks."""
        from cases.signals import case_event  # noqa: PLC0415 (models are loaded by now)
        from outbox import checks  # noqa: F401, PLC0415 (importing registers them)
        from outbox.receivers import enqueue_events  # noqa: PLC0415 (models are loaded by now)

        case_event.connect(enqueue_events, dispatch_uid="outbox.enqueue_events")
