import dataclasses
import os
from pathlib import Path

import pytest

from server.environment import SettingsError
from server.payment_settings import PaymentSettings
from server.settings import ROOT_STATE_DIR, Settings, without_password

SECRET = "0123456789abcdef0123456789abcdef"
OIDC = {
    "VACANCY_OIDC_JWKS_URL": "https://login.example.com/jwks.json",
    "VACANCY_OIDC_ISSUER": "https://login.example.com/",
    "VACANCY_OIDC_AUDIENCE": "vacancy",
}
ACCOUNT = {
    "STRIPE_API_KEY": "sk_test_hunter2",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_shown",
    "STRIPE_WEBHOOK_SECRET": "whsec_0123456789, whsec_9876543210",
    "VACANCY_STRIPE_URL": "http://127.0.0.1:12111",
}


def read(**variables: str) -> Settings:
    return Settings.from_environment({"HOME": "/home/ada", **variables})


def test_an_empty_environment_serves_on_this_machine_only() -> None:
    settings = read()
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.database_url is None
    assert settings.migration_database_url is None
    assert settings.redis_url is None
    assert settings.secrets == ()
    assert settings.database_pool_size == 8
    assert settings.timeline_days == 7
    assert settings.metrics_port is None
    assert settings.log_requests is False
    assert settings.payments == PaymentSettings(are_on=True)


def test_payments_are_on_unless_they_are_switched_off() -> None:
    assert read(VACANCY_PAYMENTS="off").payments.are_on is False
    assert Settings(state_dir=Path("/nowhere")).payments.are_on is False, "what is made by hand collects nothing"


def test_an_account_has_keys_of_one_kind_and_secrets_that_can_be_replaced() -> None:
    payments = read(**ACCOUNT).payments
    assert payments.webhook_secrets == ("whsec_0123456789", "whsec_9876543210")
    with pytest.raises(SettingsError, match="STRIPE_PUBLISHABLE_KEY"):
        read(**{**ACCOUNT, "STRIPE_PUBLISHABLE_KEY": "pk_live_hunter2"})
    with pytest.raises(SettingsError, match="live key"):
        read(STRIPE_API_KEY="sk_live_hunter2", VACANCY_STRIPE_URL="http://127.0.0.1:12111")
    with pytest.raises(SettingsError, match="VACANCY_CHECKOUT_CEILING_SECONDS"):
        read(VACANCY_CHECKOUT_SECONDS="900", VACANCY_CHECKOUT_CEILING_SECONDS="899")


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    names = read().to_environment()
    assert read(**dict.fromkeys(names, " ")) == read()


def test_nothing_is_changed_after_reading() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        read().port = 1  # type: ignore[misc]


def test_the_state_folder_follows_xdg_unless_we_are_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert read().state_dir == Path("/home/ada/.local/state/vacancy")
    assert read(XDG_STATE_HOME="/state").state_dir == Path("/state/vacancy")
    assert read(XDG_STATE_HOME="relative").state_dir == Path("/home/ada/.local/state/vacancy")
    with pytest.raises(SettingsError, match="VACANCY_STATE_DIR"):
        Settings.from_environment({})
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert read(XDG_STATE_HOME="/state").state_dir == ROOT_STATE_DIR


def test_a_relative_state_folder_means_the_same_to_every_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read(VACANCY_STATE_DIR="here").state_dir == tmp_path / "here"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_a_database_url_always_begins_the_same(scheme: str) -> None:
    settings = read(DATABASE_URL=f"{scheme}://ada:pw@db:5432/vacancy?sslmode=require")
    assert settings.database_url == "postgresql://ada:pw@db:5432/vacancy?sslmode=require"
    assert settings.migration_database_url == settings.database_url


def test_the_owner_of_the_tables_may_be_another_role() -> None:
    settings = read(DATABASE_URL="postgres://app@db/v", MIGRATION_DATABASE_URL="postgres://owner@db/v")
    assert settings.database_url == "postgresql://app@db/v"
    assert settings.migration_database_url == "postgresql://owner@db/v"


@pytest.mark.parametrize("url", ["redis://cache:6379/0", "rediss://:pw@cache", "unix:///run/valkey.sock"])
def test_redis_is_reached_by_tcp_tls_or_socket(url: str) -> None:
    assert read(REDIS_URL=url).redis_url == url


def test_the_first_of_several_secrets_signs() -> None:
    settings = read(VACANCY_SECRET=f"{SECRET}, {SECRET.upper()}")
    assert settings.secrets == (SECRET, SECRET.upper())


def test_an_identity_provider_needs_all_three() -> None:
    assert read(**OIDC).oidc_audience == "vacancy"
    for name in OIDC:
        with pytest.raises(SettingsError, match=name):
            read(**{**OIDC, name: ""})


def test_keys_of_an_identity_provider_come_encrypted() -> None:
    with pytest.raises(SettingsError, match="VACANCY_OIDC_JWKS_URL must begin with https"):
        read(**{**OIDC, "VACANCY_OIDC_JWKS_URL": "http://login.example.com/jwks.json"})
    local = "http://127.0.0.1:9000/jwks.json"
    assert read(**{**OIDC, "VACANCY_OIDC_JWKS_URL": local}).oidc_jwks_url == local


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VACANCY_PORT", "0"),
        ("VACANCY_PORT", "65536"),
        ("VACANCY_PORT", "http"),
        ("VACANCY_PORT", "8_000"),
        ("VACANCY_PORT", "٨٠٠٠"),
        ("VACANCY_PORT", "9" * 5000),
        ("VACANCY_HOST", "http://localhost"),
        ("VACANCY_HOST", "local host"),
        ("VACANCY_STATE_DIR", "a\0b"),
        ("VACANCY_STATE_DIR", "~no-such-user/vacancy"),
        ("DATABASE_URL", "mysql://db/vacancy"),
        ("DATABASE_URL", "postgresql:/db/vacancy"),
        ("DATABASE_URL", "postgresql://db"),
        ("DATABASE_URL", "postgresql://db:port/vacancy"),
        ("DATABASE_URL", "postgresql://[db/vacancy"),
        ("MIGRATION_DATABASE_URL", "postgresql://db/vacancy"),
        ("REDIS_URL", "cache:6379"),
        ("VACANCY_SECRET", "short"),
        ("VACANCY_SECRET", f"{SECRET},"),
        ("VACANCY_SECRET", ",".join([SECRET] * 9)),
        ("VACANCY_DATABASE_POOL_SIZE", "-1"),
        ("VACANCY_DATABASE_POOL_SIZE", "1.5"),
        ("VACANCY_DATABASE_POOL_SIZE", "201"),
        ("VACANCY_TIMELINE_DAYS", "1"),
        ("VACANCY_KEEP_TIMELINES", "2"),
        ("VACANCY_METRICS_PORT", "0"),
        ("VACANCY_METRICS_PORT", "65536"),
        ("VACANCY_LOG_REQUESTS", "yes"),
        ("VACANCY_PAYMENTS", "true"),
        ("VACANCY_CHECKOUT_SECONDS", "29"),
        ("VACANCY_CHECKOUT_RETRY_SECONDS", "86401"),
        ("VACANCY_CHECKOUT_CEILING_SECONDS", "0"),
        ("VACANCY_STRIPE_URL", "http://stripe.example"),
        ("STRIPE_API_KEY", "pk_test_of_a_browser"),
        ("STRIPE_PUBLISHABLE_KEY", "sk_test_of_a_server"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_short"),
        ("STRIPE_WEBHOOK_SECRET", "0123456789abcdef"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_0123456789,"),
        ("STRIPE_WEBHOOK_SECRET", ",".join(["whsec_0123456789"] * 5)),
    ],
)
def test_what_cannot_work_is_refused_by_the_name_of_its_variable(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read(**{name: value})


@pytest.mark.parametrize(
    "name",
    [
        "DATABASE_URL",
        "REDIS_URL",
        "VACANCY_SECRET",
        "STRIPE_API_KEY",
        "STRIPE_PUBLISHABLE_KEY",
        "STRIPE_WEBHOOK_SECRET",
    ],
)
def test_a_refusal_shows_no_secret(name: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(**{name: "mysql://ada:hunter2@db:port/"})
    assert "hunter2" not in str(refused.value)


def test_printing_shows_no_secret_and_no_password() -> None:
    settings = read(
        DATABASE_URL="postgresql://ada:hunter2@db/vacancy?password=hunter2",
        REDIS_URL="redis://:hunter2@cache",
        VACANCY_SECRET=SECRET,
        **ACCOUNT,
    )
    shown = repr(settings)
    assert "hunter2" not in shown
    assert SECRET not in shown
    assert "whsec_" not in shown
    assert "ada:***@db/vacancy" in shown


def test_a_child_process_reads_the_same_settings() -> None:
    settings = read(
        VACANCY_HOST="::1",
        VACANCY_PORT="8001",
        VACANCY_STATE_DIR="/srv/vacancy",
        DATABASE_URL="postgresql://ada:pw@/vacancy?host=/run/a%20b",
        MIGRATION_DATABASE_URL="postgresql://owner:pw@/vacancy?host=/run/a%20b",
        REDIS_URL="unix:///run/valkey.sock",
        VACANCY_SECRET=f"{SECRET},{SECRET}",
        VACANCY_DATABASE_POOL_SIZE="3",
        VACANCY_TIMELINE_DAYS="30",
        VACANCY_KEEP_TIMELINES="0",
        VACANCY_METRICS_PORT="9100",
        VACANCY_LOG_REQUESTS="1",
        EMBEDDED_PG_BIN="/usr/lib/postgresql/18/bin",
        VACANCY_PAYMENTS="off",
        VACANCY_CHECKOUT_SECONDS="60",
        VACANCY_CHECKOUT_RETRY_SECONDS="61",
        VACANCY_CHECKOUT_CEILING_SECONDS="62",
        **ACCOUNT,
        **OIDC,
    )
    assert Settings.from_environment(settings.to_environment()) == settings


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ada:pw@db:5432/v", "postgresql://ada:***@db:5432/v"),
        ("postgresql://ada@db/v", "postgresql://ada@db/v"),
        ("postgresql://ada:p@ss@db/v", "postgresql://ada:***@db/v"),
        ("postgresql://db/v?user=ada&password=pw", "postgresql://db/v?user=ada&password=***"),
        ("postgresql:///v?host=/run/pg", "postgresql:///v?host=/run/pg"),
        ("unix:///run/valkey.sock", "unix:///run/valkey.sock"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert without_password(url) == shown
