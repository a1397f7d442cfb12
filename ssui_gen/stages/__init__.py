"""Stages: files in, files out, each resumable. Stages never import each other."""
