"""Django's PostgreSQL backend, with what this service needs of its connections: see ``base``."""
