"""`claude-max chat`: one question, or a conversation, at a terminal or in a pipe.

command      reads the command line and chooses the form; the only file that ends the program
session      the conversation: messages, attachments, request bodies, the transcript (pure)
commands     slash commands such as `/model sonnet`: their table and parser (pure)
store        the last conversation on disk
attach       files as parts of a message
schema       a JSON Schema, and answers checked against it
client       HTTP client of the proxy: sends questions, streams answers, maps failures to exit codes
connect      the running proxy, or one started inside this process
markdown     which blocks of an answer are complete, and how they are rendered (pure)
view         shows a streamed answer: Markdown rendered live, or plain text
prompt       the line editor
interactive  the conversation at a terminal
oneshot      one question, one answer

Nothing here may import the proxy's routes or its engine: answers come over HTTP. Of the proxy's code only
settings, errors, events, port_check and the rules for files and schemas are used.
"""
