"""Branches from every cut, pairs out of them, and what exploration gave."""
