"""Who signed which exact content, when, and as what."""
