"""What is true of what somebody said about a scene."""
