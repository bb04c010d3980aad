"""What the facts are worth: measures and a scheme in, points and a total out. Pure and exact."""
