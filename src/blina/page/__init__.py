"""The page that a clinician opens: composed of what the executed notebooks show, and nothing that they do not."""

from blina.page.write import write_page

__all__ = ["write_page"]
