"""Settings, all from environment variables; ``config.checks`` says what is missing or wrong."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import django_stubs_ext
import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from config import embedded_postgres
from config.logging import configure as configure_logging

# Lets Django's generic classes be written with their type arguments at run time too.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

APP_ENV: str = env.str("APP_ENV", default="local")
if APP_ENV not in ("local", "test", "production"):
    message = f"APP_ENV is {APP_ENV!r}: it must be local, test or production."
    raise ImproperlyConfigured(message)
PRODUCTION = APP_ENV == "production"
DEBUG: bool = env.bool("DEBUG", default=False)

# The demo's key is public: config.checks refuses it in production.
DEMO_SECRET_KEY = "demo-key-of-the-local-run-never-for-production"  # noqa: S105 (public on purpose)
SECRET_KEY: str = env.str("SECRET_KEY", default=DEMO_SECRET_KEY)
ALLOWED_HOSTS: list[str] = env.list(
    "ALLOWED_HOSTS", default=[] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]", "testserver"]
)
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "config",
    "audit",
    "outbox",
    "cases",
    "config.apps.BackOfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "axes",
    "django_fsm",
    "guardian",
    "knox",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "config.middleware.request_context",
    "config.middleware.no_nul_in_admin",
    "config.http.caching.private_answers",
    "django.middleware.security.SecurityMiddleware",
    "config.http.policy.PagePolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.http.browsers.Sessions",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "config.http.browsers.Authentication",
    "config.http.browsers.Messages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.http.forms.forms_as_json",
    "axes.middleware.AxesMiddleware",  # last, as it wants to be
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Database -----------------------------------------------------------------------------------
DATABASE_URL: str = env.str("DATABASE_URL", default="")
if not DATABASE_URL and not PRODUCTION:
    DATABASE_URL = embedded_postgres.database_url()
DATABASES: dict[str, dict[str, Any]] = {}
if DATABASE_URL:
    _database: dict[str, Any] = dict(environ.Env.db_url_config(DATABASE_URL))
    # A socket folder stands in the query; Django's own commands look for it in HOST.
    if socket_folder := _database.get("OPTIONS", {}).pop("host", None):
        _database["HOST"] = socket_folder
    if _database["ENGINE"] == "django.db.backends.postgresql":
        _database["ENGINE"] = "config.postgresql"
        _database["OPTIONS"] = _database.get("OPTIONS", {}) | {"server_side_binding": True}
    DATABASES["default"] = {
        **_database,
        "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=60),
        "CONN_HEALTH_CHECKS": True,
    }
# Off for a pooler that hands out connections by transaction and knows no prepared statements.
PREPARED_STATEMENTS: bool = env.bool("PREPARED_STATEMENTS", default=True)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Who may ------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: who is locked out is not even compared
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
ANONYMOUS_USER_NAME = None  # django-guardian's stand-in user; nobody without a log-in gets grants
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# The header placeholder X-Actor-ID / X-Actor-Roles: trusts whoever calls, so it is not
# authentication. Production needs a value that says so aloud.
ACTOR_HEADERS_SETTING: str = env.str("ACTOR_HEADERS", default="off" if PRODUCTION else "on")
ACTOR_HEADERS: bool = ("unsafe-in-production" if PRODUCTION else "on") == ACTOR_HEADERS_SETTING
LOGIN_URL = "admin:login"


def whole_number(text: str) -> int:
    """Return the number, or -1, which ``config.checks`` refuses with a sentence."""
    return int(text) if text.isascii() and text.isdecimal() else -1


# How many proxies of ours stand in front: where the caller's address is taken from.
TRUSTED_PROXIES: int = whole_number(env.str("TRUSTED_PROXIES", default="0"))

# Who guesses passwords is locked out: one name from one address. Nobody else is.
LOGIN_FAILURES: int = whole_number(env.str("LOGIN_FAILURES", default="5"))
LOGIN_LOCK_MINUTES: int = whole_number(env.str("LOGIN_LOCK_MINUTES", default="15"))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = LOGIN_FAILURES
AXES_COOLOFF_TIME = timedelta(minutes=LOGIN_LOCK_MINUTES)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True  # config.logins writes a line for each log-in
AXES_CLIENT_IP_CALLABLE = "config.http.addresses.client_address"
AXES_LOCKOUT_CALLABLE = "config.logins.locked_out"
AXES_WHITELIST_CALLABLE = "config.logins.guesses_nothing"
AXES_VERBOSE = False

# API tokens: kept as hashes, each with a name and an end.
API_TOKEN_TTL_DAYS: int = whole_number(env.str("API_TOKEN_TTL_DAYS", default="90"))
KNOX_TOKEN_MODEL = "config.ApiToken"  # noqa: S105 (a model)
REST_KNOX = {"TOKEN_PREFIX": "rcm_"}
MIGRATION_MODULES = {"knox": None}  # its own table would stay empty beside ours

# OpenID Connect: bearer tokens of one issuer, and with a client id the log-in of the back office.
OIDC_ISSUER: str = env.str("OIDC_ISSUER", default="")
OIDC_AUDIENCE: str = env.str("OIDC_AUDIENCE", default="")
OIDC_ACTOR_CLAIM: str = env.str("OIDC_ACTOR_CLAIM", default="sub")
OIDC_ROLES_CLAIM: str = env.str("OIDC_ROLES_CLAIM", default="roles")
OIDC_CLIENT_ID: str = env.str("OIDC_CLIENT_ID", default="")
OIDC_CLIENT_SECRET: str = env.str("OIDC_CLIENT_SECRET", default="")
OIDC_SCOPES: str = env.str("OIDC_SCOPES", default="openid profile email")
OIDC_SESSION_HOURS: int = whole_number(env.str("OIDC_SESSION_HOURS", default="8"))
OIDC_USE_PKCE = True
if OIDC_CLIENT_ID:
    AUTHENTICATION_BACKENDS.append("config.oidc.login.SingleSignOnBackend")

# --- Cases --------------------------------------------------------------------------------------
CASES_FOUR_EYES_SETTING: str = env.str("CASES_FOUR_EYES", default="on")
CASES_FOUR_EYES: bool = CASES_FOUR_EYES_SETTING != "off"
SLA_HOLIDAYS: str = env.str("SLA_HOLIDAYS", default="")
SLA_TIME_ZONE: str = env.str("SLA_TIME_ZONE", default="UTC")
# Registers uploaded to the back office: how large, and for how many days they are kept.
IMPORT_MAX_MIB: int = whole_number(env.str("IMPORT_MAX_MIB", default="50"))
IMPORT_KEEP_DAYS: int = whole_number(env.str("IMPORT_KEEP_DAYS", default="7"))
# Signs anchors of the trail; secret: whoever has it can state what never was.
AUDIT_ANCHOR_KEY: str = env.str("AUDIT_ANCHOR_KEY", default="")

# --- Outbox -------------------------------------------------------------------------------------
OUTBOX_DESTINATIONS: list[str] = env.list("OUTBOX_DESTINATIONS", default=["log"])
# After so many failed attempts an event is dead: 20 are some 10 hours.
OUTBOX_MAX_ATTEMPTS: int = env.int("OUTBOX_MAX_ATTEMPTS", default=20)
# What messages about restricted cases tell: ids, or full.
OUTBOX_RESTRICTED: str = env.str("OUTBOX_RESTRICTED", default="ids")
OUTBOX_WEBHOOK_URL: str = env.str("OUTBOX_WEBHOOK_URL", default="")
OUTBOX_WEBHOOK_SECRET: str = env.str("OUTBOX_WEBHOOK_SECRET", default="")
OUTBOX_WEBHOOK_ALLOW_PRIVATE: bool = env.bool("OUTBOX_WEBHOOK_ALLOW_PRIVATE", default=False)
OUTBOX_BROKER_URL: str = env.str("OUTBOX_BROKER_URL", default="")
OUTBOX_BROKER_EXCHANGE: str = env.str("OUTBOX_BROKER_EXCHANGE", default="regulatory-cases")

# --- E-mail -------------------------------------------------------------------------------------
EMAIL_URL: str = env.str("EMAIL_URL", default="")
EMAIL_URL_READ = True  # config.checks refuses an address that django-environ cannot read
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
if EMAIL_URL:
    try:
        globals().update(environ.Env.email_url_config(EMAIL_URL))
    except (KeyError, ValueError, ImproperlyConfigured):
        EMAIL_URL_READ = False
EMAIL_TIMEOUT = 10  # seconds for each answer of the mail server
DEFAULT_FROM_EMAIL: str = env.str("DEFAULT_FROM_EMAIL", default="")
# Where people reach this service: links in e-mails begin with it.
PUBLIC_URL: str = env.str("PUBLIC_URL", default="")

# --- HTTP ---------------------------------------------------------------------------------------
# How often one actor, or one address without an actor, may call: like 600/minute; empty: no limit.
API_RATE: str = env.str("API_RATE", default="6000/minute" if PRODUCTION else "")
THROTTLE_STORAGE: str = env.str("THROTTLE_STORAGE", default="memory://")
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        # A token is proof and wins over a claim; the first one also words the challenge of a 401.
        "config.http.bearer.ApiTokenAuthentication",
        "config.http.bearer.OidcTokenAuthentication",
        "config.http.actors.HeaderActorAuthentication",
        "config.http.actors.SessionActorAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["config.http.actors.IsActor"],
    "DEFAULT_THROTTLE_CLASSES": ["config.http.throttling.ActorThrottle"],
    "DEFAULT_RENDERER_CLASSES": [
        "config.http.rendering.JSONRenderer",
        "config.http.pages.PageRenderer",
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "config.http.rendering.Negotiation",
    "DEFAULT_PARSER_CLASSES": ["config.http.parsers.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "config.http.pagination.KeysetPagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.http.errors.exception_handler",
    "NON_FIELD_ERRORS_KEY": "body",
    # Its own query parameters would come before ours are checked.
    "URL_FORMAT_OVERRIDE": None,
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "DATETIME_FORMAT": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Regulatory Case Management",
    "DESCRIPTION": (BASE_DIR / "config" / "http" / "document" / "description.md").read_text(),
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVERS": [
        {
            "url": "/",
            "description": "This service where it runs: local, staging or production.",
            "x-internal": False,
        }
    ],
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],  # the document is for everybody, whatever they send along
    "SCHEMA_PATH_PREFIX": "/v1",
    "PREPROCESSING_HOOKS": ["config.http.openapi.only_v1"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.http.openapi.complete",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    # Without a word about it, the page would show the document to a validator of others.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "displayOperationId": True, "validatorUrl": None},
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "CaseStatusEnum": "cases.lifecycle.CaseStatus",
        "PriorityEnum": "cases.lifecycle.Priority",
        "CaseActionEnum": "cases.api.serializers.ACTIONS",
    },
}
# A body larger than this is refused before it is read (413); files in forms have a limit of theirs.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
FILE_UPLOAD_HANDLERS = ["cases.admin.uploads.RegisterHandler"]
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
# What a page may load and run: what this service serves, as files of their own, and nothing else.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}
if PRODUCTION:
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    # Only behind a proxy that sets this header itself: whoever else sends it would be believed.
    if env.bool("TRUST_X_FORWARDED_PROTO", default=False):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

# --- Language, time, files ----------------------------------------------------------------------
LANGUAGE_CODE = "en"
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
if PRODUCTION:
    STATIC_ROOT = env.path("STATIC_ROOT", default=BASE_DIR / "var" / "static")
WHITENOISE_USE_FINDERS = not PRODUCTION
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# --- Metrics ------------------------------------------------------------------------------------
# Who may read GET /metrics: bearers of this token; empty: whoever reaches the address.
METRICS_TOKEN: str = env.str("METRICS_TOKEN", default="")

# --- Logs ---------------------------------------------------------------------------------------
LOG_LEVEL: str = env.str("LOG_LEVEL", default="INFO").upper()
LOG_FORMAT: str = env.str("LOG_FORMAT", default="json" if PRODUCTION else "console")
LOGGING_CONFIG = None
configure_logging(level=LOG_LEVEL, form=LOG_FORMAT, sql=env.bool("SQL_ECHO", default=False))
