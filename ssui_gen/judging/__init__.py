"""One judge for F and RSBench: questions with options, answered by one letter each, by probability."""
