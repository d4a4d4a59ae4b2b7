"""What two model directories have to do with each other, read from their files alone: no framework, nothing is run."""
