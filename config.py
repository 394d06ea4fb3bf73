"""Settings, from the environment. Every name is documented in docs/settings.md; `clinic doctor` judges them."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent


class Config:
    """What every way of running shares; nothing in it is safe to weaken."""

    NAME = "development"
    IS_PRODUCTION = False
    DATABASE_URL = os.environ.get("DATABASE_URL", f"sqlite:///{ROOT / 'instance' / 'chairtime.sqlite'}")
    SECRET_KEY = os.environ.get("SECRET_KEY", "")
    SECRET_KEY_FALLBACKS = [key for key in os.environ.get("SECRET_KEY_FALLBACKS", "").split(",") if key] or None
    SECRET_FILE = os.environ.get("SECRET_FILE", str(ROOT / "instance" / "secret"))
    TRUSTED_HOSTS = [host for host in os.environ.get("TRUSTED_HOSTS", "").split(",") if host] or None
    TRUSTED_PROXIES = int(os.environ.get("TRUSTED_PROXIES", "0"))

    SMTP_HOST = os.environ.get("SMTP_HOST", "")
    SMTP_PORT = int(os.environ.get("SMTP_PORT", "587"))
    SMTP_SECURITY = os.environ.get("SMTP_SECURITY", "starttls")
    SMTP_USER = os.environ.get("SMTP_USER", "")
    SMTP_PASSWORD = os.environ.get("SMTP_PASSWORD", "")
    MAIL_FROM = os.environ.get("MAIL_FROM", "")
    PUBLIC_URL = os.environ.get("PUBLIC_URL", "")

    OIDC_ISSUER = os.environ.get("OIDC_ISSUER", "")
    OIDC_CLIENT_ID = os.environ.get("OIDC_CLIENT_ID", "")
    OIDC_CLIENT_SECRET = os.environ.get("OIDC_CLIENT_SECRET", "")
    OIDC_NAME = os.environ.get("OIDC_NAME", "clinic account")

    # Whether `clinic serve` also sends the clinic's mail; "no" where `clinic outbox send --loop` runs by itself.
    SENDS_MAIL = os.environ.get("SENDS_MAIL", "yes") == "yes"
    CHECKPOINT_FOLDER = os.environ.get("CHECKPOINT_FOLDER", "")
    CHECKPOINT_MAIL_TO = os.environ.get("CHECKPOINT_MAIL_TO", "")

    # Whether a plan gets a process of its own; "no" where `clinic plans work --loop` runs all the time.
    STARTS_PLANS = os.environ.get("STARTS_PLANS", "yes") == "yes"

    MAX_CONTENT_LENGTH = 2 * 1024 * 1024
    MAX_FORM_PARTS = 500
    SESSION_COOKIE_NAME = "chairtime"
    SESSION_COOKIE_HTTPONLY = True
    SESSION_COOKIE_SAMESITE = "Lax"
    SESSION_COOKIE_SECURE = False
    PERMANENT_SESSION_LIFETIME = 12 * 60 * 60
    # The token lives as long as the sign-in: a nurse may look at a flowsheet for hours before she saves.
    WTF_CSRF_TIME_LIMIT = None
    LOGIN_IDLE_SECONDS = int(os.environ.get("LOGIN_IDLE_SECONDS", str(30 * 60)))
    # After so long without a touch the screen is locked; 0 means never.
    LOCK_AFTER_SECONDS = int(os.environ.get("LOCK_AFTER_SECONDS", str(5 * 60)))
    LOGIN_ABSOLUTE_SECONDS = 12 * 60 * 60
    BABEL_DEFAULT_LOCALE = "en"


class Production(Config):
    """A clinic's own server: HTTPS only, a long secret, known hosts."""

    NAME = "production"
    IS_PRODUCTION = True
    SESSION_COOKIE_NAME = "__Host-chairtime"
    SESSION_COOKIE_SECURE = True


class Testing(Config):
    """The test suite."""

    NAME = "testing"
    TESTING = True
    STARTS_PLANS = False
    LOCK_AFTER_SECONDS = 0
    SECRET_KEY = "testing-only-testing-only-testing-only"  # noqa: S105 only ever used by tests


CONFIGS: dict[str, type[Config]] = {config.NAME: config for config in (Config, Production, Testing)}


def chosen() -> type[Config]:
    """The configuration that CHAIRTIME_ENV names; development where it is not set."""
    name = os.environ.get("CHAIRTIME_ENV", "development")
    if name not in CONFIGS:
        raise SystemExit(f"CHAIRTIME_ENV is {name!r}; use one of {', '.join(CONFIGS)}.")
    return CONFIGS[name]
