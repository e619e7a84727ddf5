"""Film reviews: the talk's network as it stands, and the best LSTM over word vectors for the same texts."""
