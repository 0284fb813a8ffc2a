"""What the notebooks compute: cohort description, MRD response, safety; exact intervals and tests throughout."""
