"""SRPO on LoRA: reasoning paths and pairs → an adapter of any vision-language model of transformers."""
