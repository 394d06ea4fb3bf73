"""Fixtures that make people, patients, orders, sessions: one module per area, loaded by tests/conftest.py.

A `make_…` fixture has sensible defaults; a test states only what matters to it. Factories ask for the fixture
`database` and work inside `db.unit_of_work()`, so that they serve tests with real commits as well.
"""
