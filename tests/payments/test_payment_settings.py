import pytest

from payments.settings import STRIPE_URL, PaymentSettingsError, StripeSettings

SIMULATOR = "http://127.0.0.1:12111"


@pytest.mark.parametrize(
    ("key", "url"),
    [
        ("sk_test_abc", STRIPE_URL),
        ("sk_live_abc", STRIPE_URL),
        ("rk_live_abc", STRIPE_URL),
        ("sk_test_abc", SIMULATOR),
        ("rk_test_abc", "http://localhost:12111"),
        ("sk_test_abc", "http://[::1]:12111"),
    ],
)
def test_a_key_and_an_address_that_go_together(key: str, url: str) -> None:
    settings = StripeSettings(secret_key=key, url=url)
    assert key not in repr(settings)


@pytest.mark.parametrize(
    ("key", "url"),
    [
        ("sk_live_abc", SIMULATOR),
        ("rk_live_abc", SIMULATOR),
        ("sk_live_abc", "https://api.stripe.com.example"),
        ("sk_live_abc", "https://api.stripe.com/"),
        ("sk_test_abc", "http://example.com"),
        ("sk_test_abc", "https://10.0.0.1"),
        ("sk_test_abc", "127.0.0.1:12111"),
        ("sk_test_abc", ""),
        ("pk_test_abc", STRIPE_URL),
        ("", STRIPE_URL),
    ],
)
def test_a_key_that_must_not_go_there_is_refused_and_not_repeated(key: str, url: str) -> None:
    with pytest.raises(PaymentSettingsError) as refused:
        StripeSettings(secret_key=key, url=url)
    assert not key or key not in str(refused.value)
