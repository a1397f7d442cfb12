"""`make reproduce`: the paper's claims and its open questions, measured where the truth is known."""
