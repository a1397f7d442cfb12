"""The micro VLM, and how it learns."""
