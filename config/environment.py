"""Every environment variable that the service reads. ``config.settings`` builds on these values.

To add one: a line here, a use in the settings, and a check in ``config.checks`` if it can be wrong
in a way that its kind does not say; then ``make configuration`` writes it into the documentation.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from config import embedded_postgres
from config.variables import Variables

BASE_DIR: Final = Path(__file__).resolve().parent.parent
# The demo's key is public: config.checks refuses it in production.
DEMO_SECRET_KEY: Final = "demo-key-of-the-local-run-never-for-production"  # noqa: S105 (public on purpose)

VARIABLES: Final = Variables(os.environ)
_v = VARIABLES

_v.section("The service")
APP_ENV = _v.choice(
    "APP_ENV",
    "local",
    "test",
    "production",
    example="production",
    meaning="where it runs; production refuses what is unsafe, and sets other defaults",
)
PRODUCTION = _v.production = APP_ENV == "production"
DEBUG = _v.flag("DEBUG", default=False, meaning="Django's debugging; production refuses it")
SECRET_KEY = _v.text(
    "SECRET_KEY",
    DEMO_SECRET_KEY,
    shown="the demo's key",
    secret=True,
    example="at-least-50-random-characters",
    meaning="signs sessions, and guards [second factors](how-to/second-factor.md#what-is-kept);"
    " production refuses the demo's key, which is public, and short ones",
)
SECRET_KEY_FALLBACKS = _v.text(
    "SECRET_KEY_FALLBACKS",
    secret=True,
    meaning="earlier values of `SECRET_KEY`, parted by spaces, that still hold while a new one"
    " [takes their place](how-to/replace-the-secret-key.md)",
).split()
ALLOWED_HOSTS = _v.names(
    "ALLOWED_HOSTS",
    ["localhost", "127.0.0.1", "[::1]", "testserver"],
    production=[],
    example="cases.example.org",
    meaning="host names under which the service is reached; production refuses an empty list and"
    " wildcards",
)
CSRF_TRUSTED_ORIGINS = _v.names(
    "CSRF_TRUSTED_ORIGINS",
    [],
    example="https://cases.example.org",
    meaning="origins whose forms are trusted; production refuses those without TLS and wildcards",
)
PUBLIC_URL = _v.text(
    "PUBLIC_URL", meaning="where people reach the service; links in e-mails begin with it"
)
PORT = _v.whole(
    "PORT", 8000, least=1, most=65_535, meaning="where `make run`, and gunicorn, listen"
)
LISTEN_HOST = _v.text("LISTEN_HOST", "127.0.0.1", meaning="the address on which `make run` listens")
# Read by gunicorn.conf.py, as are the next ones.
DRAIN_SECONDS = _v.whole(
    "DRAIN_SECONDS",
    0,
    least=0,
    most=600,
    production=5,
    meaning="for how many seconds a web server that is told to stop still serves, while"
    " `/health/ready` says 503; longer than a balancer takes to notice",
)
STOP_SECONDS = _v.whole(
    "STOP_SECONDS",
    30,
    least=1,
    most=3600,
    meaning="how many seconds requests have after that to come to their end; exports are cut off",
)
KEEP_ALIVE_SECONDS = _v.whole(
    "KEEP_ALIVE_SECONDS",
    5,
    least=1,
    most=3600,
    meaning="for how many seconds an idle connection of a caller is kept; longer than a proxy"
    " keeps it, so that it is the proxy that ends it",
)

_v.section("Database")
DATABASE_URL = _v.text(
    "DATABASE_URL",
    secret=True,
    shown="the embedded server; none in production",
    example="postgresql://cases:password@database.example.org:5432/cases",
    meaning="`postgresql://user:password@host:5432/name`; PostgreSQL 15 or newer",
)
if not DATABASE_URL and not PRODUCTION:
    DATABASE_URL = embedded_postgres.database_url()
CONN_MAX_AGE = _v.whole(
    "CONN_MAX_AGE",
    60,
    least=0,
    most=86_400,
    meaning="seconds for which a database connection is kept",
)
DATABASE_REPLICA_URL = _v.text(
    "DATABASE_REPLICA_URL",
    secret=True,
    meaning="a streaming replica of that database, from which lists, exports and reports are"
    " [read](scaling.md#a-replica-for-reading)",
)
REPLICA_WAIT_MS = _v.whole(
    "REPLICA_WAIT_MS",
    50,
    least=0,
    most=10_000,
    meaning="milliseconds that a read waits for the replica to be up to date; then the primary"
    " answers",
)
DATABASE_POOL_SIZE = _v.whole(
    "DATABASE_POOL_SIZE",
    0,
    least=0,
    most=1000,
    meaning="how many connections the threads of one web worker share; 0: each has its own, see"
    " [below](#connections)",
)
DATABASE_POOL_WAIT_SECONDS = _v.whole(
    "DATABASE_POOL_WAIT_SECONDS",
    5,
    least=1,
    most=300,
    meaning="for how many seconds a request waits for one of them, before it is answered 503",
)
DATABASE_CONNECT_SECONDS = _v.whole(
    "DATABASE_CONNECT_SECONDS",
    5,
    least=1,
    most=300,
    meaning="how many seconds a new connection may take",
)
DATABASE_STATEMENT_SECONDS = _v.whole(
    "DATABASE_STATEMENT_SECONDS",
    30,
    least=0,
    most=3600,
    meaning="how many seconds a statement of a web request may take, before it is answered 503;"
    " 0 leaves it to PostgreSQL, here and in the next ones: see [below](#time-limits)",
)
DATABASE_EXPORT_SECONDS = _v.whole(
    "DATABASE_EXPORT_SECONDS",
    3600,
    least=1,
    most=86_400,
    meaning="the same for a file that is exported, the time of its transfer included",
)
DATABASE_LOCK_SECONDS = _v.whole(
    "DATABASE_LOCK_SECONDS",
    5,
    least=0,
    most=3600,
    meaning="for how many seconds a web request waits for somebody else's transaction on the same"
    " case, before it is answered 409",
)
DATABASE_IDLE_SECONDS = _v.whole(
    "DATABASE_IDLE_SECONDS",
    60,
    least=0,
    most=3600,
    meaning="after how many seconds PostgreSQL ends a session of the web server that holds a"
    " transaction open and says nothing",
)
DATABASE_COMMAND_SECONDS = _v.whole(
    "DATABASE_COMMAND_SECONDS",
    0,
    least=0,
    most=604_800,
    meaning="how many seconds a statement of a command may take",
)
DATABASE_MIGRATE_LOCK_SECONDS = _v.whole(
    "DATABASE_MIGRATE_LOCK_SECONDS",
    5,
    least=0,
    most=3600,
    meaning="for how many seconds `migrate` waits for a table, and lets everybody else wait",
)
PREPARED_STATEMENTS = _v.flag(
    "PREPARED_STATEMENTS",
    default=True,
    meaning="let PostgreSQL keep the most frequent statements planned; `off` behind a pooler by"
    " transaction that cannot, like PgBouncer before 1.21",
)
# Read by config.embedded_postgres itself, before Django is there.
EMBEDDED_POSTGRES_BIN = _v.text(
    "EMBEDDED_POSTGRES_BIN",
    meaning="folder of PostgreSQL's programs for the embedded server; without it the installed"
    " wheel, then the system's",
)

_v.section("Who may")
# The header placeholder X-Actor-ID / X-Actor-Roles: trusts whoever calls, so it is not
# authentication. Production needs a value that says so aloud.
ACTOR_HEADERS_SETTING = _v.choice(
    "ACTOR_HEADERS",
    "on",
    "off",
    "unsafe-in-production",
    production="off",
    meaning="whether `X-Actor-ID` and `X-Actor-Roles` name the actor. Production refuses `on`: who"
    " must have it there says `unsafe-in-production`, which is off elsewhere",
)
API_TOKEN_TTL_DAYS = _v.whole(
    "API_TOKEN_TTL_DAYS",
    90,
    least=1,
    most=3650,
    meaning="for how many days an [API token](how-to/api-tokens.md) holds, at most and by default",
)
OIDC_ISSUER = _v.text(
    "OIDC_ISSUER",
    meaning="the identifier of the one [OpenID Connect issuer](how-to/single-sign-on.md) that is"
    " trusted, as it writes itself; https in production",
)
OIDC_AUDIENCE = _v.text(
    "OIDC_AUDIENCE",
    meaning="whom bearer tokens of the issuer must be meant for; without it none is taken",
)
OIDC_ACTOR_CLAIM = _v.text(
    "OIDC_ACTOR_CLAIM",
    "sub",
    meaning="the claim that names the actor; its text is what the trail shows",
)
OIDC_ROLES_CLAIM = _v.text(
    "OIDC_ROLES_CLAIM",
    "roles",
    meaning="the claim that lists the roles, by name or by path, like `realm_access.roles`",
)
OIDC_CLIENT_ID = _v.text(
    "OIDC_CLIENT_ID",
    meaning="this service at the issuer; with it the back office offers single sign-on",
)
OIDC_CLIENT_SECRET = _v.text("OIDC_CLIENT_SECRET", secret=True, meaning="belongs to the client id")
OIDC_SCOPES = _v.text(
    "OIDC_SCOPES", "openid profile email", meaning="what the log-in asks the issuer for"
)
SESSION_IDLE_MINUTES = _v.whole(
    "SESSION_IDLE_MINUTES",
    30,
    least=1,
    most=1440,
    meaning="after how many minutes without a request a session of the back office ends",
)
SESSION_HOURS = _v.whole(
    "SESSION_HOURS",
    12,
    least=1,
    most=24,
    meaning="for how many hours a log-in by password holds, at most",
)
OIDC_SESSION_HOURS = _v.whole(
    "OIDC_SESSION_HOURS",
    8,
    least=1,
    most=24,
    meaning="for how many hours a log-in by single sign-on holds, at most",
)
LOGIN_FAILURES = _v.whole(
    "LOGIN_FAILURES",
    5,
    least=1,
    most=100,
    meaning="after how many wrong passwords a name is locked from an address",
)
LOGIN_ADDRESS_FAILURES = _v.whole(
    "LOGIN_ADDRESS_FAILURES",
    50,
    least=1,
    most=100_000,
    meaning="after how many wrong passwords, under whatever names, an address is locked",
)
LOGIN_LOCK_MINUTES = _v.whole(
    "LOGIN_LOCK_MINUTES", 15, least=1, most=1440, meaning="for how many minutes"
)
ADMIN_MFA = _v.choice(
    "ADMIN_MFA",
    "off",
    "optional",
    "required",
    production="required",
    meaning="whether log-ins by password need a [second factor](how-to/second-factor.md):"
    " `optional` asks those who have set one up",
)
TRUSTED_PROXIES = _v.whole(
    "TRUSTED_PROXIES",
    0,
    least=0,
    most=10,
    meaning="how many proxies of yours stand in front; see [below](#whose-address-counts)",
)
API_RATE = _v.text(
    "API_RATE",
    production="6000/minute",
    blank=True,
    meaning="how often one actor may call, and one address that names no actor; a number per"
    " `second`, `minute`, `hour` or `day`; empty: no limit",
)
THROTTLE_STORAGE = _v.text(
    "THROTTLE_STORAGE",
    "memory://",
    secret=True,
    meaning="where that is counted; see [below](#where-requests-are-counted)",
)

_v.section("Cases")
CASES_FOUR_EYES = (
    _v.choice(
        "CASES_FOUR_EYES",
        "on",
        "off",
        meaning="`off` switches the [four-eyes rule](reference/roles.md#four-eyes) off",
    )
    == "on"
)
SLA_HOLIDAYS = _v.text(
    "SLA_HOLIDAYS",
    meaning="holidays by which working days are counted, like `DE-BE`; without it weekends only",
)
SLA_TIME_ZONE = _v.text(
    "SLA_TIME_ZONE",
    "UTC",
    meaning="IANA time zone in which days are counted, the back office shows and reads times, and "
    "imports without an offset are read",
)
IMPORT_MAX_MIB = _v.whole(
    "IMPORT_MAX_MIB",
    50,
    least=1,
    most=1000,
    meaning="size of a [register](how-to/import-a-register.md#in-the-back-office) that can be"
    " uploaded to the back office, in MiB",
)
IMPORT_KEEP_DAYS = _v.whole(
    "IMPORT_KEEP_DAYS",
    7,
    least=1,
    most=365,
    meaning="for how many days uploads to the back office are kept, imported or not",
)
# Signs anchors of the trail: whoever has it can state what never was.
AUDIT_ANCHOR_KEY = _v.text(
    "AUDIT_ANCHOR_KEY",
    secret=True,
    meaning="the private key that signs [anchors](how-to/verify-the-trail.md#anchors) of the trail;"
    " needed where `anchor_audit` runs, and nowhere else",
)

_v.section("Outbox")
OUTBOX_DESTINATIONS = _v.names(
    "OUTBOX_DESTINATIONS",
    ["log"],
    meaning="destinations that are told of events: `log`, [`webhook`](how-to/receive-webhooks.md),"
    " [`broker`](how-to/use-rabbitmq.md), [`email`](how-to/send-email.md)",
)
OUTBOX_MAX_ATTEMPTS = _v.whole(
    "OUTBOX_MAX_ATTEMPTS",
    20,
    least=1,
    most=1000,
    meaning="after so many failed attempts an event is dead; 20 take some 10 hours",
)
OUTBOX_RESTRICTED = _v.choice(
    "OUTBOX_RESTRICTED",
    "ids",
    "full",
    meaning="what messages about restricted cases tell; `full` where all destinations may know",
)
OUTBOX_WEBHOOK_URL = _v.text("OUTBOX_WEBHOOK_URL", meaning="https address of the receiver")
OUTBOX_WEBHOOK_SECRET = _v.text(
    "OUTBOX_WEBHOOK_SECRET",
    secret=True,
    meaning="`whsec_` and the base64 of 24 to 64 bytes; several, parted by spaces, while one"
    " replaces another",
)
OUTBOX_WEBHOOK_ALLOW_PRIVATE = _v.flag(
    "OUTBOX_WEBHOOK_ALLOW_PRIVATE",
    default=False,
    meaning="lets webhooks go to private addresses, and outside of production without TLS",
)
OUTBOX_BROKER_URL = _v.text(
    "OUTBOX_BROKER_URL", secret=True, meaning="`amqps://user:password@host:5671/vhost`"
)
OUTBOX_BROKER_EXCHANGE = _v.text(
    "OUTBOX_BROKER_EXCHANGE",
    "regulatory-cases",
    meaning="the topic exchange that is declared and told",
)

_v.section("E-mail")
EMAIL_URL = _v.text(
    "EMAIL_URL",
    secret=True,
    meaning="the mail server, like `smtp+tls://user:password@host:587` or `smtp+ssl://…:465`; with"
    " it people are told of [changes to their account](how-to/send-email.md#changes-to-accounts)",
)
DEFAULT_FROM_EMAIL = _v.text(
    "DEFAULT_FROM_EMAIL", meaning="who sends e-mail, like `Cases <cases@example.org>`"
)

_v.section("HTTPS and files, in production only")
SECURE_SSL_REDIRECT = _v.flag(
    "SECURE_SSL_REDIRECT",
    default=True,
    meaning="leads browsers from HTTP to HTTPS, and refuses programs without it",
)
TRUST_X_FORWARDED_PROTO = _v.flag(
    "TRUST_X_FORWARDED_PROTO",
    default=False,
    example="on",
    meaning="believe `X-Forwarded-Proto`; only behind a proxy that sets it itself",
)
SECURE_HSTS_SECONDS = _v.whole(
    "SECURE_HSTS_SECONDS",
    31_536_000,
    least=0,
    most=315_360_000,
    meaning="for how long browsers insist on HTTPS",
)
STATIC_ROOT = _v.path(
    "STATIC_ROOT",
    BASE_DIR / "var" / "static",
    below=BASE_DIR,
    meaning="where `collectstatic` writes",
)

_v.section("Watching")
LOG_LEVEL = _v.choice(
    "LOG_LEVEL",
    "info",
    "debug",
    "warning",
    "error",
    "critical",
    meaning="the least level that is written",
).upper()
LOG_FORMAT = _v.choice(
    "LOG_FORMAT",
    "console",
    "json",
    production="json",
    meaning="form of the log lines on standard error",
)
SQL_ECHO = _v.flag(
    "SQL_ECHO",
    default=False,
    meaning="writes every SQL statement to the log; they hold what users wrote, so production"
    " refuses it",
)
METRICS_TOKEN = _v.text(
    "METRICS_TOKEN",
    secret=True,
    meaning="what `GET /metrics` asks for as a bearer token; without it whoever asks is answered",
)
OTEL_EXPORTER_OTLP_ENDPOINT = _v.text(
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    meaning="the collector that is told [traces](how-to/watch-the-service.md#traces) by OTLP over"
    " HTTP, like `http://collector:4318`; without it none are made",
)
OTEL_SERVICE_NAME = _v.text(
    "OTEL_SERVICE_NAME", "regulatory-cases", meaning="what the service is called in traces"
)

_v.finish()
