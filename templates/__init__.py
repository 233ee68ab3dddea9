"""What a service file says besides its data: a launchd property list and a systemd user unit. Text only, no code.

`cli/service/launchd.py` and `cli/service/systemd.py` fill them in.
"""
