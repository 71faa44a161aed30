"""
Phones reached by Android's own client: ``run = "adb://SERIAL"``. Experimental.

Tested with the real client without a phone, and with a stand-in for it that
runs the commands in a folder of this machine; no phone was at hand.
"""
