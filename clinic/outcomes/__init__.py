"""What patients report: pain, function, change, and the call on the next day."""
