"""Who is asking: sessions of people and tokens of machines, resolved against the identity database."""
