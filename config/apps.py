from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """The composition root: settings, URLs, who calls, errors as HTTP, the local run."""

    name = "config"

    def ready(self) -> None:
        """Register the system checks and what the OpenAPI document says of the ways in."""
        from config import checks  # noqa: F401, PLC0415 (importing registers them)
        from config.http import openapi  # noqa: F401, PLC0415 (likewise)
