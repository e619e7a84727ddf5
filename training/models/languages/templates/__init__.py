"""Generated sentences for what posts show too seldom: negation in each of the seven languages.

`words.py` has each language's words and frames; `sentences.py` fills them in.
"""
