"""A small facility of its own: users, collections, memberships, roles, and a server that syncs them."""
