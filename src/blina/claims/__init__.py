"""Printed numbers as claims: written down, recomputed on a line list, and turned into line lists that fit them."""
