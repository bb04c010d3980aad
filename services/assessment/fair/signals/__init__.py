"""What asks for a look by a person: never a penalty, always with its evidence. Doubtful records wait."""
