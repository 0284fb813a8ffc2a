"""Questions about patients, each declared once: who is counted, what counts, and what a missing value means."""
