"""The append-only trail: who did what to whose record, when and from where."""
