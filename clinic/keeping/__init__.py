"""Keeping the record: backups of the whole installation, and bringing one back."""
