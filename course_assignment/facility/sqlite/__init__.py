"""SQLite for a device on which several processes write: see ``base``."""
