"""Film reviews: a reimplementation of the talk's network, and our own LSTM over word vectors for the same texts."""
