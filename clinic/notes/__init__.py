"""Notes and addenda, the signatures on them, and the physician's inbox."""
