"""Sentiment in seven languages besides English: a teacher from multilingual-e5-small, distilled into a BiLSTM."""
