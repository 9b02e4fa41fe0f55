"""What moves bytes: archives, harvest, fetch, embed, export, and the command line."""
