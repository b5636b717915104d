"""Every setting, read from the environment (and `.env`) here and nowhere else."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import django_stubs_ext
import environ

# Django's generic forms and admins take their model in brackets only after this.
django_stubs_ext.monkeypatch()

ROOT = Path(__file__).resolve().parent.parent
env = environ.Env()
env.read_env(ROOT / ".env")

VAR = Path(env.str("FLENWHEEL_VAR", default=str(ROOT / "var"))).resolve()
VAR.mkdir(parents=True, exist_ok=True)
PACKS = ROOT / "packs"
MEDIA_ROOT = VAR / "media"
RUNS = VAR / "runs"
LORAS = Path(env.str("FLENWHEEL_LORAS", default=str(VAR / "loras"))).resolve()
"""Where LoRAs of others lie, each under its repository's name; nothing is downloaded."""


def local_secret(path: Path) -> str:
    """Read the installation's own secret, making it at the first start."""
    try:
        with path.open("x") as new:
            path.chmod(0o600)
            new.write(secrets.token_urlsafe(50))
    except FileExistsError:
        pass
    return path.read_text()


SECRET_KEY = env.str("FLENWHEEL_SECRET_KEY", default="") or local_secret(VAR / "secret_key")
DEBUG = env.bool("FLENWHEEL_DEBUG", default=False)
ALLOWED_HOSTS = env.list("FLENWHEEL_HOSTS", default=["127.0.0.1", "localhost", "testserver"])
CSRF_TRUSTED_ORIGINS = env.list("FLENWHEEL_ORIGINS", default=[])
BIND = env.str("FLENWHEEL_BIND", default="127.0.0.1")
PORT = env.int("FLENWHEEL_PORT", default=8000)
"""Where `manage.py up` answers; the first free port from here on."""
SESSION_ENGINE = "flenwheel.sessions"
AUTHENTICATION_BACKENDS = ["flenwheel.sessions.Accounts"]
SESSION_COOKIE_AGE = 60 * 60 * 24 * 30
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "template_partials",
    "waffle",
    "curation",
    "training",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "curation.members.guests.GuestsAtTheDesk",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "flenwheel.login_again.login_again",
]
ROOT_URLCONF = "flenwheel.urls"
WSGI_APPLICATION = "flenwheel.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "curation.views.visible.rights",
            ],
        },
    },
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [ROOT / "templates" / "jinja"],
        "OPTIONS": {"environment": "curation.jinja.environment"},
    },
]

DATABASES = {"default": env.db_url("FLENWHEEL_DATABASE_URL", default=f"sqlite:///{VAR}/db.sqlite3")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["ENGINE"] = "flenwheel.sqlite"
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    # Plans are made once a connection. A pooler that hands connections round between transactions
    # must know prepared statements (PgBouncer does from 1.21).
    DATABASES["default"]["OPTIONS"] = {"server_side_binding": True, "prepare_threshold": 5}
DATABASES["default"]["CONN_MAX_AGE"] = 60
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        # Wrong passwords are counted there. With Django's 300, who tries 300 names is forgotten.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

SENDS_MAIL = bool(env.str("FLENWHEEL_EMAIL_URL", default=""))
vars().update(env.email_url("FLENWHEEL_EMAIL_URL", default="dummymail://"))
DEFAULT_FROM_EMAIL = env.str("FLENWHEEL_EMAIL_FROM", default="flenwheel@localhost")
ADDRESS = next(iter(CSRF_TRUSTED_ORIGINS), f"http://{BIND}:{PORT}")
"""What links in e-mails begin with."""

LANGUAGE_CODE = "en-gb"
TIME_ZONE = env.str("FLENWHEEL_TIME_ZONE", default="UTC")
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [ROOT / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "flenwheel.static_files.HashedStaticFiles"},
}
DATA_UPLOAD_MAX_NUMBER_FILES = 500
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

BROKER = VAR / "broker"
CELERY_BROKER_URL = env.str("FLENWHEEL_BROKER_URL", default="filesystem://")
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any]
if CELERY_BROKER_URL == "filesystem://":
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(BROKER / "messages"),
        "data_folder_out": str(BROKER / "messages"),
        "processed_folder": str(BROKER / "processed"),
        "control_folder": str(BROKER / "control"),
        "store_processed": False,
    }
else:
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 24 * 60 * 60}
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_ROUTES = {
    "training.tasks.work_gpu": {"queue": "gpu"},
    "training.tasks.work_cpu": {"queue": "cpu"},
    "training.tasks.sweep": {"queue": "cpu"},
    "training.tasks.sweep_files": {"queue": "cpu"},
    "training.tasks.recalibrate": {"queue": "cpu"},
}
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "training.tasks.sweep", "schedule": 10.0},
    "sweep_files": {"task": "training.tasks.sweep_files", "schedule": 60 * 60.0},
    "recalibrate": {"task": "training.tasks.recalibrate", "schedule": 60.0},
}

TORCH_THREADS = env.int("FLENWHEEL_TORCH_THREADS", default=0)
"""Threads of each machine-work process; 0 leaves the choice to torch."""

AI_TOOLKIT = env.str("FLENWHEEL_AI_TOOLKIT", default="")
"""The folder of an ai-toolkit checkout on the machines that train; empty offers no such trainer."""

TORCH_COMPILE = env.bool("FLENWHEEL_TORCH_COMPILE", default=False)
"""Whether real bases are compiled on a GPU: slow first pictures, and again with other LoRAs."""

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {"hide_tokens": {"()": "flenwheel.logs.HideTokens"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["hide_tokens"],
        }
    },
    "loggers": {
        # Both warn at every start of what is so by design: a broker of files has no host name,
        # and a CPU has no 4-bit kernels.
        "kombu.connection": {"level": "ERROR"},
        "bitsandbytes": {"level": "ERROR"},
    },
    "root": {"handlers": ["console"], "level": env.str("FLENWHEEL_LOG_LEVEL", default="INFO")},
}
