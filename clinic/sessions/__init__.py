"""The bedside: checks, double check, the infusion itself, vitals, events, recovery and discharge."""
