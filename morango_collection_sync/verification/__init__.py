"""What a receiver asks of everything that a peer has sent, before any of it is stored. Pure, all of it."""
