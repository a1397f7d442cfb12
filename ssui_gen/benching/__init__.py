"""RSBench: items, a model's responses to them, what a judge and people say of these, and the figures."""
