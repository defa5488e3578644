"""Every setting of Signalbox, read from the environment; an odd value is refused at start.

The embedded default needs no service: SQLite and the in-memory channel layer under DATA_DIR.
`docs/settings.md` describes each variable.
"""

import re
from datetime import timedelta
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DATA_DIR = Path(env("DATA_DIR", default=str(BASE_DIR / "data"))).resolve()
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)


def _secret_key() -> str:
    """SECRET_KEY of the environment, else one made once and kept in DATA_DIR."""
    if given := env("SECRET_KEY", default=""):
        return given
    from project.secret import kept_secret

    return kept_secret(DATA_DIR / "secret_key")


SECRET_KEY = _secret_key()
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# Behind TLS -----------------------------------------------------------------------------------------
HTTPS = env.bool("HTTPS", default=False)
if HTTPS:
    # The proxy says the scheme; uvicorn believes it from the addresses in FORWARDED_ALLOW_IPS.
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^(api/)?(ws/)?health$", r"^metrics$"]  # asked from inside, without TLS
    SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000)
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    # Subdomains and browsers' preload lists are for the owner of the domain to decide.
    SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

INSTALLED_APPS = [
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework_api_key",
    "rest_framework_simplejwt.token_blacklist",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "project",
    "apps.accounts",
    "apps.events",
    "apps.gateway",
    "apps.agents",
    "apps.tasks",
    "apps.swarm",
    "apps.chat",
    "apps.notices",
    "apps.pages",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "project.addresses.WithoutNul",
    "project.addresses.OfThisHost",
    "project.files.StaticFiles",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "project.urls"
ASGI_APPLICATION = "project.asgi.application"
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
                "apps.pages.client.client_attributes",
            ],
        },
    },
]

# Database -----------------------------------------------------------------------------------------
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'signalbox.sqlite3'}")}
_database = DATABASES["default"]
if _database["ENGINE"].endswith("sqlite3"):
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # A seq that someone saw must never be reused, so every commit reaches the disk.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-32000;",
    }
    _database["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
elif _database["ENGINE"].endswith("postgresql"):
    _pool_size = env.int("DATABASE_POOL_SIZE", default=20)
    if _pool_size < 12:
        # The threads of apps/events/threads.py keep up to nine for themselves; requests need some beside them.
        raise ImproperlyConfigured(f"DATABASE_POOL_SIZE must be 12 or more, not {_pool_size}")
    _database["OPTIONS"] = {"pool": {"min_size": 2, "max_size": _pool_size, "timeout": 20}}
else:
    raise ImproperlyConfigured(f"DATABASE_URL must be sqlite:// or postgres://, not {_database['ENGINE']}")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Channel layer ------------------------------------------------------------------------------------
REDIS_URL = env("REDIS_URL", default="")
if REDIS_URL:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {
                "hosts": [
                    {
                        "address": REDIS_URL,
                        "protocol": 2,
                        "socket_keepalive": True,
                        "health_check_interval": 10,
                        "socket_connect_timeout": 2,
                    }
                ],
                "prefix": env("REDIS_PREFIX", default="signalbox"),
            },
        }
    }
else:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "project.layers.OneProcessLayer",
            "CONFIG": {"capacity": 10_000},
        }
    }

# Who ----------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["apps.accounts.backends.GuardedBackend"]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
ACCESS_TOKEN_SECONDS = env.int("ACCESS_TOKEN_SECONDS", default=300)
REFRESH_TOKEN_DAYS = env.int("REFRESH_TOKEN_DAYS", default=14)
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(seconds=ACCESS_TOKEN_SECONDS),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=REFRESH_TOKEN_DAYS),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "CHECK_REVOKE_TOKEN": True,
    "UPDATE_LAST_LOGIN": True,
}
SOCKET_TICKET_SECONDS = env.int("SOCKET_TICKET_SECONDS", default=60)
LOGIN_ATTEMPTS = env.int("LOGIN_ATTEMPTS", default=5)
LOGIN_LOCKOUT_SECONDS = env.int("LOGIN_LOCKOUT_SECONDS", default=300)
if min(SOCKET_TICKET_SECONDS, LOGIN_ATTEMPTS, LOGIN_LOCKOUT_SECONDS) < 1:
    raise ImproperlyConfigured("SOCKET_TICKET_SECONDS, LOGIN_ATTEMPTS and LOGIN_LOCKOUT_SECONDS must be 1 or more")

# Limits of the gateway ------------------------------------------------------------------------------
LIMITS = {
    "connections_per_user": env.int("LIMIT_CONNECTIONS_PER_USER", default=5),
    "connections_per_key": env.int("LIMIT_CONNECTIONS_PER_KEY", default=100),
    "frames_per_second": env.int("LIMIT_FRAMES_PER_SECOND", default=100),
    "agent_frames_per_second": env.int("LIMIT_AGENT_FRAMES_PER_SECOND", default=1000),
    "reads_per_second": env.int("LIMIT_READS_PER_SECOND", default=200),
    "filtered_reads_per_second": env.int("LIMIT_FILTERED_READS_PER_SECOND", default=20),
    "waiting_polls": env.int("LIMIT_WAITING_POLLS", default=20),
    "frame_bytes": env.int("LIMIT_FRAME_BYTES", default=64 * 1024),
    "agent_frame_bytes": env.int("LIMIT_AGENT_FRAME_BYTES", default=1024 * 1024),
    "depth": env.int("LIMIT_DEPTH", default=32),
    "topics": env.int("LIMIT_TOPICS", default=50),
    "credit_bytes": env.int("LIMIT_CREDIT_BYTES", default=1024 * 1024),
}
for _name, _value in LIMITS.items():
    if _value < 1:
        raise ImproperlyConfigured(f"LIMIT_{_name.upper()} must be 1 or more, not {_value}")
ALLOWED_ORIGINS = env.list("ALLOWED_ORIGINS", default=[])
for _origin in ALLOWED_ORIGINS:
    # As a browser writes it, to the letter: anything else would never match.
    if not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^\sA-Z/?#@]+", _origin):
        raise ImproperlyConfigured(f"ALLOWED_ORIGINS are scheme://host[:port] in small letters, not {_origin!r}")
SWEEP_HERE = env.bool("SWEEP_HERE", default=True)
AUDIT_DAYS = env.int("AUDIT_DAYS", default=365)
AGENT_LEASE_SECONDS = env.float("AGENT_LEASE_SECONDS", default=15)
METRICS_TOKEN = env("METRICS_TOKEN", default="")
ENABLE_WEBSOCKET = env.bool("ENABLE_WEBSOCKET", default=True)  # off: pages poll
ENABLE_AGENT_MONITORING = env.bool("ENABLE_AGENT_MONITORING", default=True)
HEARTBEAT_SECONDS = env.int("HEARTBEAT_SECONDS", default=25)
AUTH_SECONDS = env.float("AUTH_SECONDS", default=5)
HEADS_CHECK_SECONDS = env.float("HEADS_CHECK_SECONDS", default=1.0)
for _name, _value in {
    "ACCESS_TOKEN_SECONDS": ACCESS_TOKEN_SECONDS,
    "REFRESH_TOKEN_DAYS": REFRESH_TOKEN_DAYS,
    "AUDIT_DAYS": AUDIT_DAYS,
    "AGENT_LEASE_SECONDS": AGENT_LEASE_SECONDS,
    "HEARTBEAT_SECONDS": HEARTBEAT_SECONDS,
    "AUTH_SECONDS": AUTH_SECONDS,
    "HEADS_CHECK_SECONDS": HEADS_CHECK_SECONDS,
}.items():
    if not 0 < _value < 1_000_000_000:
        raise ImproperlyConfigured(f"{_name} must be more than 0, not {_value}")

# What the pages' client is told ---------------------------------------------------------------------
WEBSOCKET_URL = env("WEBSOCKET_URL", default="")
if WEBSOCKET_URL and not WEBSOCKET_URL.startswith(("ws://", "wss://")):
    raise ImproperlyConfigured(f"WEBSOCKET_URL must begin with ws:// or wss://, not {WEBSOCKET_URL}")
CLIENT = {
    "reconnect_seconds": env.float("CLIENT_RECONNECT_SECONDS", default=1.0),
    "attempts": env.int("CLIENT_ATTEMPTS", default=3),
    "queue": env.int("CLIENT_QUEUE", default=100),
}
for _name, _value in CLIENT.items():
    if not 0 < _value < 1_000_000:
        raise ImproperlyConfigured(f"CLIENT_{_name.upper()} must be more than 0, not {_value}")
REPORT_CLIENT_ERRORS = env.bool("REPORT_CLIENT_ERRORS", default=False)

# REST ---------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.accounts.rest.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["apps.accounts.rest.IsKnown"],
    "DEFAULT_PARSER_CLASSES": [
        "apps.accounts.payloads.JsonBody",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_PAGINATION_CLASS": "apps.accounts.payloads.Page",
    "PAGE_SIZE": 50,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "apps.accounts.rest.refusal_as_response",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.0",
    "TITLE": "Signalbox",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "project.contract.openapi.add_contracts",
    ],
    "ENUM_NAME_OVERRIDES": {"RunStatusEnum": "apps.swarm.models.RunStatus"},
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# Logging ------------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s", "datefmt": "%H:%M:%S"},
        "as_is": {"format": "%(message)s"},
    },
    "filters": {
        "no_lost_redis": {
            "()": "django.utils.log.CallbackFilter",
            "callback": "ext://project.logs.is_no_lost_redis",
        },
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line"},  # stderr
        "audit": {
            "class": "logging.handlers.WatchedFileHandler",
            "filename": str(DATA_DIR / "audit.jsonl"),
            "formatter": "as_is",
            "encoding": "utf-8",
            "delay": True,
        },
    },
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", default="WARNING").upper()},
    "loggers": {
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        # What a client got wrong is told to the client.
        "django.request": {"level": "ERROR"},
        "channels_redis.pubsub": {"filters": ["no_lost_redis"]},
        "signalbox.audit": {"handlers": ["audit"], "level": "INFO", "propagate": False},
    },
}

# Files and pages ------------------------------------------------------------------------------------
STATIC_URL = "static/"
# Files are served from where they are, so that there is no step to forget and no stale copy.
STATIC_ROOT = None
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False
# Without a version in its address (project/files.py), a browser asks each time and is told "not modified".
WHITENOISE_MAX_AGE = 0
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "project.files.VersionedStorage"},
}
STATICFILES_DIRS = [BASE_DIR / "static"]
LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "connect-src": ["'self'", *(["/".join(WEBSOCKET_URL.split("/", 3)[:3])] if WEBSOCKET_URL else [])],
        "img-src": ["'self'", "data:"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
    }
}
