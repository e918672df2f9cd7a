"""Values PostgreSQL has and Python has not."""
