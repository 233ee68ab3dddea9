"""The command line: one module per command, one renderer for all output.

The commands: `entry` where the program begins · `main` the command tree · `serve` the proxy in the foreground ·
`background` the same without a terminal · `page` what its page shows of this machine · `status`, `status_view` which
server runs, and what it does · `logs` its log · `login` Claude Code's own sign-in · `doctor` what does not work ·
`report` the same for an issue · `check` what holds of a CLI, also of the `newest` · `chat` a conversation or one
question · `models`, `usage` what the login offers · `spending` what was used · `explain` what is sent for a request ·
`purge` removes what is `stored` · `service` the proxy as a service that starts at login · `connect` other programs set
up to use it · `config` where settings come from · `config_edit` changes the configuration file · `update_check` whether
there is a newer version.

What they share: `output` printing and exit codes · `options` flags of several commands · `help` how `--help` looks ·
`values` what a shell offers for them · `signals` an orderly end · `embedded` a proxy inside a command · `upstream` what
a proxy talks to · `log_format` how the log looks · `completion` writes the completion scripts.
"""
