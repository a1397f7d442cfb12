"""Asking served models: one call, kept for ever, to one of several replicas."""
