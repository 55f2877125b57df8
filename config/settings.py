"""Django's settings, made of the environment variables in ``config.environment``.

``config.checks`` says what is missing or unsafe.
"""

from __future__ import annotations

import logging
import warnings
from contextlib import suppress
from datetime import timedelta
from typing import Any

import django_stubs_ext
import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from config.environment import *
from config.logging import configure as configure_logging
from config.postgresql import sessions

# Lets Django's generic classes be written with their type arguments at run time too.
django_stubs_ext.monkeypatch()

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
    "django_otp",
    "django_otp.plugins.otp_static",
    "config.apps.DevicesConfig",
    "guardian",
    "knox",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "config.middleware.request_context",
    # First those that only add headers: a refusal of any further one has them too.
    "django.middleware.security.SecurityMiddleware",
    "config.http.policy.PagePolicy",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.http.transport.encrypted_only",
    "config.middleware.readable_query",
    "config.middleware.office_clock",
    "config.http.caching.private_answers",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.http.browsers.Sessions",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "config.http.browsers.Authentication",
    "config.http.browsers.SecondFactor",
    "config.http.browsers.Messages",
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
DATABASES: dict[str, dict[str, Any]] = {}
for _alias, _url in {"default": DATABASE_URL, "replica": DATABASE_REPLICA_URL}.items():
    if not _url:
        continue
    _database: dict[str, Any] = {"ENGINE": ""}  # what config.checks refuses
    with suppress(ValueError), warnings.catch_warnings(action="ignore"):  # it repeats passwords
        _database |= environ.Env.db_url_config(_url)
    # A socket folder stands in the query; Django's own commands look for it in HOST.
    if socket_folder := _database.get("OPTIONS", {}).pop("host", None):
        _database["HOST"] = socket_folder
    if not _database["ENGINE"].startswith("django.db.backends."):
        _database["ENGINE"] = ""  # a scheme that nobody knows; Django would look for its backend
    if _database["ENGINE"] == "django.db.backends.postgresql":
        _database["ENGINE"] = "config.postgresql"
        _database["OPTIONS"] = _database.get("OPTIONS", {}) | {"server_side_binding": True}
        # Only web workers share connections: a command has one, a drainer one for each lane.
        if DATABASE_POOL_SIZE and sessions.process == sessions.WEB:
            _database["OPTIONS"]["pool"] = {
                "min_size": 0,
                "max_size": DATABASE_POOL_SIZE,
                "timeout": DATABASE_POOL_WAIT_SECONDS,
                "max_lifetime": 3600,
                "max_idle": 300,
            }
    DATABASES[_alias] = {
        **_database,
        "CONN_MAX_AGE": 0 if "pool" in _database.get("OPTIONS", {}) else CONN_MAX_AGE,
        "CONN_HEALTH_CHECKS": True,
    }
if DATABASE_REPLICA_URL:
    DATABASES["replica"]["TEST"] = {"MIRROR": "default"}
    DATABASE_ROUTERS = ["cases.replica.Router"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Who may ------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: who is locked out is not even compared
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
ANONYMOUS_USER_NAME = None  # django-guardian's stand-in user; nobody without a log-in gets grants
# Length and surprise, no rules on what a password is made of (NIST SP 800-63B, 5.1.1.2).
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "config.passwords.MaximumLength"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "config.passwords.AfterAChange"},
]
ACTOR_HEADERS = ("unsafe-in-production" if PRODUCTION else "on") == ACTOR_HEADERS_SETTING
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"  # for who wanted to go to an address that is not ours
CSRF_FAILURE_VIEW = "config.http.errors.forged"

SESSION_ENGINE = "config.sessions"
SESSION_COOKIE_AGE = SESSION_IDLE_MINUTES * 60
SESSION_COOKIE_HTTPONLY = True
# In the session and not in a cookie of their own, which a browser would keep.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = (
    "Lax"  # Strict would lose who comes from the issuer
)

# Who guesses passwords is locked out: one name from one address. Nobody else is, unless an address
# tries many names.
AXES_HANDLER = "config.logins.Attempts"
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

OTP_TOTP_ISSUER = "Regulatory cases"  # what the app on somebody's telephone calls this service

# API tokens: kept as hashes, each with a name and an end.
KNOX_TOKEN_MODEL = "config.ApiToken"  # noqa: S105 (a model)
REST_KNOX = {"TOKEN_PREFIX": "rcm_"}
MIGRATION_MODULES = {"knox": None}  # its own table would stay empty beside ours

# OpenID Connect: bearer tokens of one issuer, and with a client id the log-in of the back office.
OIDC_USE_PKCE = True
if OIDC_CLIENT_ID:
    AUTHENTICATION_BACKENDS.append("config.oidc.login.SingleSignOnBackend")

# --- E-mail -------------------------------------------------------------------------------------
EMAIL_URL_READ = True  # config.checks refuses an address that django-environ cannot read
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
if EMAIL_URL:
    try:
        globals().update(environ.Env.email_url_config(EMAIL_URL))
    except (KeyError, ValueError, ImproperlyConfigured):
        EMAIL_URL_READ = False
EMAIL_TIMEOUT = 10  # seconds for each answer of the mail server

# --- HTTP ---------------------------------------------------------------------------------------
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
        "DayKindEnum": "audit.api.due_dates.DAY_KINDS",
    },
}
# A body larger than this is refused before it is read (413); files in forms have a limit of theirs.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
FILE_UPLOAD_HANDLERS = ["cases.admin.uploads.RegisterHandler"]
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
# Who comes without TLS is led to it or refused by config.http.transport, which tells them apart.
SECURE_REDIRECT_EXEMPT = [""]
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
if not PRODUCTION:
    SECURE_SSL_REDIRECT, SECURE_HSTS_SECONDS, STATIC_ROOT = False, 0, None
else:
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    # Only behind a proxy that sets this header itself: whoever else sends it would be believed.
    if TRUST_X_FORWARDED_PROTO:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    # By these names browsers take them from this host alone, by TLS alone.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"

# --- Language, time, files ----------------------------------------------------------------------
LANGUAGE_CODE = "en"
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_ALLOW_ALL_ORIGINS = False  # no page of others needs our files
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# --- Logs ---------------------------------------------------------------------------------------
LOGGING_CONFIG = None
configure_logging(level=LOG_LEVEL, form=LOG_FORMAT, sql=SQL_ECHO)
# A variable that a template does not find is told with all the others, whatever users wrote.
logging.getLogger("django.template").setLevel(logging.INFO)
