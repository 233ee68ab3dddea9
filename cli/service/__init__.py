"""The proxy as a service of the user's own: started at login, restarted after a crash.

`spec`      what the service runs, with which environment, and what it is deliberately not given. Pure.
`program`   which `claude-max` a service file may name.
`steps`     the few things that change a machine, as data; and the one place that does them.
`launchd`   macOS: the property list, the steps, what launchd says.
`systemd`   Linux: the same for a user unit.
`log`       where the agent's log is on macOS, and how it is kept from growing for ever.
`quoting`   systemd's rules for words, both ways. Pure.
`choose`    which of the two this machine has.
`manager`   what the two have in common. Types only.
`results`   what the commands found out or did.
`actions`   install, uninstall, restart, status, logs: what the commands do.
`inside`    the environment that the service itself has. For the doctor.
`seed`      services of the npm package `claude-max-api-proxy`, which uses the same port.

Nothing here prints; `cli/agent.py` does.
"""
