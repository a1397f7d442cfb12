"""Servers in processes of their own: the embedded one and vLLM."""
