"""Clinics, staff, roles and sign-in."""
