"""Boards reached by OpenSSH's own client: ``run = "ssh://user@host[:port]"``."""
