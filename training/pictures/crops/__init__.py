"""Crops of logos and of other things: from imglab files, photos, and synthetic scenes."""
