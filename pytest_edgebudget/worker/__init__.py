"""
The one program that runs on a device: numpy, one runtime, nothing else of ours.

Started as ``python -E -B <this folder>``, it speaks JSON lines on stdin and
stdout. A request is ``{"op": NAME, "limit": SECONDS, ...parameters}``; replies
are ``{"progress": TEXT}`` while it works, then ``{"ok": RESULT}`` or
``{"error": {"kind", "message", "hint"}}``. The folder may be copied to a board
as it is: Python 3.9 or newer, no installation.
"""
