"""Who may do what: users, passwords, sign-in links."""
