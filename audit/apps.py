from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Listens to case events and keeps the business record of them, append-only and chained."""

    name = "audit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Plug the receiver in, register the system checks, make the trail's own event known."""
        from audit import checks  # noqa: F401, PLC0415 (importing registers them)
        from audit.anchors import events  # noqa: F401, PLC0415 (who describes messages looks for it)
        from audit.receivers import record_events  # noqa: PLC0415 (models are loaded by now)
        from cases.signals import case_event  # noqa: PLC0415 (as above)

        case_event.connect(record_events, dispatch_uid="audit.record_events")
