"""Chairs, shifts and appointments; the database refuses what cannot stand."""
