"""Generated sentences for phenomena that are rare in labelled posts; `training.measure.capabilities` tests the same abilities.

Frames, brands and things differ from those of the tests (training/tests/text/test_templates.py). The method is that of Ribeiro et al.,
"Beyond Accuracy: Behavioral Testing of NLP Models with CheckList", ACL 2020, used for training instead of testing.
"""
