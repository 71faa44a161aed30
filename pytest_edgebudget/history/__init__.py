"""Every reading of every run: a SQLite file by default, a PostgreSQL server for a team."""
