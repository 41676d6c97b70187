"""Live push: the outbox relay, the feed that turns its hints into changes, and the GraphQL Subscription root."""
