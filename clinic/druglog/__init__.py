"""Controlled drugs: what was taken out, given, wasted and returned, and by whom before whom."""
