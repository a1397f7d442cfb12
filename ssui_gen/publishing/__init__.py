"""A run, or an adapter, as a folder that can be given away and cited."""
