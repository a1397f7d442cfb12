"""People look at what agents wrote: items out, reviews back, nothing they say is lost."""
