"""What every dialect is made of: conversations, media, tools, schemas, names of models, validation."""
