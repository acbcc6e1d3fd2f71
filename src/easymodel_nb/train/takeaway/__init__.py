"""Taking a model away: its card and licences, a zip, a push to the Hub."""
