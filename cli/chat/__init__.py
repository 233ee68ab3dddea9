"""`claude-max chat`: one question, or a conversation, at a terminal or in a pipe.

command      what the command line means, and which of the two it is; the only file that ends the program
session      the conversation: what was said, what is attached, what a request holds, the transcript (pure)
commands     `/model sonnet` and the like: their table, read from a line (pure)
store        the last conversation on disk
attach       files as parts of a message
schema       a JSON Schema, and answers checked against it
client       the proxy over HTTP: questions out, pieces of answers in, failures with their exit code
connect      the proxy that runs, or one started inside for the while
markdown     which blocks of an answer are whole, and how one is drawn (pure)
view         an answer on the screen while it grows: Markdown painted live, or plain text
prompt       the line editor
interactive  the conversation at a terminal
oneshot      one question, one answer

Nothing here may import the proxy's routes or its engine: an answer is what comes over HTTP. Of the proxy's code only
settings, errors, events, port_check and the rules for files and schemas are used.
"""
