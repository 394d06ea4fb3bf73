"""What leaves the application on paper, and what comes back to be checked. It reads everything."""
