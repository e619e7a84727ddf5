"""What every model folder has: manifest, goldens, card, and the check of the exported file."""
