"""SQL tables as datasets: read by a server-side cursor, written in one transaction when a run has succeeded.

SQLAlchemy and the drivers are the extra `sql`; they are imported when a database is opened, never before.
"""

from __future__ import annotations

from minihost.datasets.sql.locations import Location, guarded, is_sql, located, secrets, without_secrets

__all__ = ["Location", "guarded", "is_sql", "located", "secrets", "without_secrets"]
