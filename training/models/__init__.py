"""One folder for each model in `models/`: recipe, data, network, export, and one command that makes it from nothing."""
