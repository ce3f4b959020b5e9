"""Plug-ins into other people's programs; each is imported only by its name."""
