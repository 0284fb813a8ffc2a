"""A table of patients: its declaration, how it is read, checked and made tidy."""
