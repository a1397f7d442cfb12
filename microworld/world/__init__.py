"""The world: its rules, scenes and wordings, and pairs of both."""
