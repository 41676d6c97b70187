"""The public GraphQL types, inputs, payloads, errors and scalars, the Context, the loaders, and schema.graphql."""
