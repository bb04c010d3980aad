"""How what leaves us is signed, so that a receiver knows that it is ours and new."""
