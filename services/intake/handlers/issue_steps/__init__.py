"""Taking the steps of an issue's life: `taking` is how every step is taken, beside it one file a family of steps."""
