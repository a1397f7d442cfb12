"""What comes of it: settled items, agreement and yield. Pure."""
