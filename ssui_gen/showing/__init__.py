"""What a run holds, to be looked at: its records beside their pictures, on a page and in a terminal."""
