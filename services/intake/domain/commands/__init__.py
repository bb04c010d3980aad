"""What intake can be asked to do, one dataclass a request. Values are checked at the doors."""
