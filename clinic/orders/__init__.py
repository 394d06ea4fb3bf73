"""What a physician ordered for one patient; each change is a new signed version."""
