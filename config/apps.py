from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """The composition root: settings, URLs, who calls, errors as HTTP, the local run."""

    name = "config"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks, the receivers of log-ins, and how OpenAPI tells the ways in."""
        from config import checks, logins  # noqa: F401, PLC0415 (importing registers them)
        from config.http import openapi  # noqa: F401, PLC0415 (likewise)
