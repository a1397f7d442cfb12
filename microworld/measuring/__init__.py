"""How well each role is played, on scenes that are held out."""
