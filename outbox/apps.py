from django.apps import AppConfig


class OutboxConfig(AppConfig):
    """Listens to case events and owes each of them to the configured destinations."""

    name = "outbox"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Plug the receiver in and register the system checks."""
        from cases.signals import (  # noqa: PLC0415 (models are loaded by now)
            case_event,
            service_event,
        )
        from outbox import checks  # noqa: F401, PLC0415 (importing registers them)
        from outbox.receivers import enqueue_events  # noqa: PLC0415 (models are loaded by now)
        from outbox.service_events import enqueue_service_event  # noqa: PLC0415 (as above)

        case_event.connect(enqueue_events, dispatch_uid="outbox.enqueue_events")
        service_event.connect(enqueue_service_event, dispatch_uid="outbox.enqueue_service_event")
