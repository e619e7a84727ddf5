"""Crops of logos and of what is no logo: read from imglab files, photos, and synthetic scenes."""
