"""The folder people work in: its files, all that was said in it, and items brought out to it."""
