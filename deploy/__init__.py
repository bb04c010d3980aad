"""What an installation is made of besides the services: images, configuration, and the rights on the servers."""
