"""Items and what is said of them as other tools and Markdown have them, and back. Pure."""
