"""Every SQL function once: names, argument types, result type, sentence, example, kernel."""
