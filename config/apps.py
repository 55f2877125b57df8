from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django_otp.plugins.otp_totp import apps as devices


class ProjectConfig(AppConfig):
    """The composition root: settings, URLs, who calls, errors as HTTP, the local run."""

    default = True
    name = "config"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register checks and receivers.

        What only the OpenAPI document needs is loaded when one is made, by the hooks in the
        settings: it would take a third of the time in which a command starts.
        """
        from cases.signals import action_refused, case_event  # noqa: PLC0415 (models are loaded by now)
        from config import account_changes, checks, database_role, logins, production  # noqa: F401, PLC0415 (importing registers them)
        from config.metrics import counted  # noqa: PLC0415 (as above)

        case_event.connect(counted.count_events, dispatch_uid="config.count_events")
        if checks.traces_wanted():
            from config.traces import trace_deliveries  # noqa: PLC0415 (only where it is wanted)
            from outbox.signals import handed_over  # noqa: PLC0415 (models are loaded by now)

            handed_over.connect(trace_deliveries, dispatch_uid="config.trace_deliveries")
        action_refused.connect(counted.count_refusal, dispatch_uid="config.count_refusal")


class BackOfficeConfig(admin.AdminConfig):
    """Django's admin, with our site in its place."""

    default = False
    default_site = "config.back_office.BackOffice"


class DevicesConfig(devices.DefaultConfig):  # type: ignore[misc] # its library has no types
    """django-otp's devices, under the name that people know."""

    default = False
    verbose_name = "Second factors"
