"""Courses: planned sessions under one order."""
