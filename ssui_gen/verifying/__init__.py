"""F: which branches reach the right end, and how often F is right."""
