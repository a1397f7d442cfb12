"""The page on a server: each person's desk, what was written there, keys, and what is refused."""
