from django.apps import AppConfig


class CasesConfig(AppConfig):
    """What the service is about: cases, their notes, their lifecycle."""

    name = "cases"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks."""
        from cases import checks  # noqa: F401, PLC0415 (importing registers them)
