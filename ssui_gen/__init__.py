"""ssui_gen: safe image-text pairs whose danger shows only together, with the reasoning that finds it.

Importing this package never imports torch or vllm; those live in `train/` and `microworld/`.
"""

__version__ = "0.1.0"
