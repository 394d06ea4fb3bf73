"""Drugs and protocols: the clinic's own formulary, regimens and limits, all entered by its clinicians."""
