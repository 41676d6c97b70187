"""Tables, value types, the ledger and its SQL, query functions, migrations. Knows no GraphQL, HTTP, Redis or Stripe."""
