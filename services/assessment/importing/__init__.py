"""Tables that schemes are put to, from files."""
