"""Training of the picture doctor's networks: see `python -m puppeteer.training.landmarks --help`."""
