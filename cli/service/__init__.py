"""The proxy as a service of the user's own: started at login, restarted after a crash.

`spec`      what the service runs, with which environment, and what it is deliberately not given. Pure.
`program`   which `claude-max` a service file may name.
`steps`     the few things that change a machine, as data; and the one place that does them.
`launchd`   macOS: the property list, the steps, what launchd says.
`systemd`   Linux: the same for a user unit.
`log`       where the service's log is on macOS, and how its size is bounded.
`quoting`   systemd's rules for words, both ways. Pure.
`choose`    which of the two this machine has.
`manager`   what the two have in common. Types only.
`results`   what the commands found out or did.
`actions`   install, uninstall, restart, status, logs: what the commands do.
`inside`    what the service's own process has: its environment, and that it is the service.
`rewrite`   old names in the files of an installed service, under their new names.
`commands`  what the command line says: `service …`, `install-agent`, `uninstall-agent`.
`legacy_npm` services of the npm package `claude-max-api-proxy`, which uses the same port.

Only `commands` prints.
"""
