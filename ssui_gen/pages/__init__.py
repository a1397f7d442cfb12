"""One look for all pages: a frame, a stylesheet, pictures that enlarge, lists that can be walked through."""
