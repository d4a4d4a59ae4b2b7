"""What lies in a model directory, read without a framework: tensors, configuration, documents. Nothing is run."""
