"""The demonstration clinic: invented people, fictional protocols, and a day that is under way."""
