"""Patients: who they are, what they must not get, what they weigh, what they agreed to."""
