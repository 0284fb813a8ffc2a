"""blina: an executable clinical report, and the tools to check and remake it."""
