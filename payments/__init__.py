"""Payments: what stands between the business and the payment provider."""
