"""What the notebooks draw: one module per family of figures, all in one style."""
