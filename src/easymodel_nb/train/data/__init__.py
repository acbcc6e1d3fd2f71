"""Data as people have it, as Arrow tables: files, folders, variables, addresses, the Hub."""
