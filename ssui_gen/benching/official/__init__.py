"""Other people's figures, counted by their own rules, with known faults mended and no number for a judge that
failed.
"""
