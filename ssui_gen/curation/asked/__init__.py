"""Whom, about what and in which words: names of people, forms, items and their texts, the codebook."""
