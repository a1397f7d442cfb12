"""RSBench as a task of inspect_ai: an extra, and the one place that imports it."""
