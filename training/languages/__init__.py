"""Feeling in seven languages besides English: a teacher from multilingual-e5-small, and the BiLSTM that it teaches."""
