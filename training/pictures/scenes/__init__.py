"""Synthetic scenes: logos rendered from artwork, set onto photos and screens, with exact boxes."""
