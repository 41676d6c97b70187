"""The business: availability, rules, holds, confirmation, cancellation. Knows no GraphQL, HTTP, Redis or Stripe."""
