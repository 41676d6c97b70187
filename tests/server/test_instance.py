import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from server.embedded.state import locked_state
from server.instance import (
    DatabaseUnreachable,
    NoSecret,
    NotRunning,
    check_database,
    noted_instance,
    with_instance,
    with_secret,
)
from server.payment_settings import PaymentSettings
from server.settings import Settings

URLS = {
    "database_url": "postgresql://app:pw@/vacancy?host=/run",
    "migration_database_url": "postgresql://owner:pw@/vacancy?host=/run",
    "redis_url": "unix:///run/valkey.sock",
}


def at_servers(settings: Settings) -> Settings:
    return replace(
        settings,
        database_url=URLS["database_url"],
        migration_database_url=URLS["migration_database_url"],
        redis_url=URLS["redis_url"],
    )


@pytest.fixture
def settings() -> Iterator[Settings]:
    with tempfile.TemporaryDirectory() as folder:
        yield Settings(state_dir=Path(folder) / "state")


def test_a_second_command_finds_the_servers_of_the_first(settings: Settings) -> None:
    running = at_servers(settings)
    with locked_state(settings.state_dir), noted_instance(running):
        found = with_instance(settings)
        assert (settings.state_dir / "instance.json").stat().st_mode & 0o077 == 0
    assert found == replace(running, secrets=found.secrets)
    assert found.secrets == with_secret(settings).secrets


def test_a_second_server_is_paid_by_the_account_of_the_first(settings: Settings) -> None:
    account = PaymentSettings(
        are_on=True,
        api_key="sk_test_a",
        publishable_key="pk_test_a",
        webhook_secrets=("whsec_0123456789",),
        url="http://127.0.0.1:12111",
    )
    own = PaymentSettings(are_on=True, api_key="sk_test_b")
    with locked_state(settings.state_dir), noted_instance(replace(at_servers(settings), payments=account)):
        asked = replace(settings, payments=PaymentSettings(are_on=True, checkout_seconds=60))
        assert with_instance(asked).payments == replace(account, checkout_seconds=60)
        assert with_instance(replace(settings, payments=own)).payments == own
        assert with_instance(settings).payments.are_on is False


def test_nothing_is_found_where_nothing_runs(settings: Settings) -> None:
    with pytest.raises(NotRunning, match="start `vacancy run` first, or set DATABASE_URL"):
        with_instance(settings)
    with locked_state(settings.state_dir), noted_instance(at_servers(settings)):
        pass
    with pytest.raises(NotRunning):
        with_instance(settings)


def test_what_a_killed_run_left_behind_does_not_count(settings: Settings) -> None:
    settings.state_dir.mkdir()
    (settings.state_dir / "instance.json").write_text(json.dumps(URLS))
    with pytest.raises(NotRunning):
        with_instance(settings)


def test_a_run_that_is_still_starting_is_told_apart(settings: Settings) -> None:
    with locked_state(settings.state_dir), pytest.raises(NotRunning, match="still starting"):
        with_instance(settings)


def test_what_the_environment_names_comes_first(settings: Settings) -> None:
    own = replace(settings, database_url="postgresql://db/v", migration_database_url="postgresql://db/v")
    with locked_state(settings.state_dir), noted_instance(at_servers(settings)):
        assert with_instance(own) == replace(own, secrets=with_secret(own).secrets)
        assert with_instance(replace(settings, redis_url="redis://cache")).redis_url == "redis://cache"


def test_a_given_secret_is_kept_and_none_is_made(settings: Settings) -> None:
    given = replace(settings, secrets=("0123456789abcdef" * 2,))
    assert with_secret(given) == given
    assert not settings.state_dir.exists()


def test_where_none_can_be_kept_the_setting_is_named(settings: Settings) -> None:
    settings.state_dir.write_text("a file, and no folder")
    for lost in (settings, replace(settings, state_dir=settings.state_dir / "below")):
        with pytest.raises(
            NoSecret, match=r"\AVACANCY_SECRET is not set, and none can be kept\. .*VACANCY_STATE_DIR\Z"
        ):
            with_secret(lost)


@pytest.mark.parametrize(
    "place", ["/vacancy?host=/no/such/folder", "127.0.0.1:1/vacancy", "no-such-host.invalid/vacancy"]
)
async def test_why_a_database_cannot_be_reached_is_told_without_the_password(place: str) -> None:
    with pytest.raises(DatabaseUnreachable) as refused:
        await check_database(f"postgresql://ada:hunter2@{place}")
    assert str(refused.value).startswith("No connection to postgresql://ada:***@")
    assert "hunter2" not in str(refused.value)


async def test_a_wrong_password_is_told(owner_url: str) -> None:
    await check_database(owner_url)
    with pytest.raises(DatabaseUnreachable, match="password authentication failed"):
        await check_database(owner_url.replace(":", ":x", 2))
