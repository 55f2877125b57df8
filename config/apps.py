from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django_otp.plugins.otp_totp import apps as devices


class ProjectConfig(AppConfig):
    """The composition root: settings, URLs, who calls, errors as HTTP, the local run."""

    default = True
    name = "config"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks, the receivers of log-ins, and how OpenAPI tells the ways in."""
        from config import checks, database_role, logins, production  # noqa: F401, PLC0415 (importing registers them)
        from config.http import openapi  # noqa: F401, PLC0415 (likewise)


class BackOfficeConfig(admin.AdminConfig):
    """Django's admin, with our site in its place."""

    default = False
    default_site = "config.back_office.BackOffice"


class DevicesConfig(devices.DefaultConfig):  # type: ignore[misc] # its library has no types
    """django-otp's devices, under the name that people know."""

    default = False
    verbose_name = "Second factors"
