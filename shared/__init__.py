"""What two services need and none of them owns."""
