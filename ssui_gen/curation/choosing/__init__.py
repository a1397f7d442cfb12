"""Who is asked about what: the riskiest first, a sample by chance, items dealt to people. Pure."""
