"""What people say: a line of theirs, the whole file, and every fault of it at its place. Touches no file."""
