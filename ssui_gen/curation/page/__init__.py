"""What people see: the review page as one HTML file, and the pictures on it."""
