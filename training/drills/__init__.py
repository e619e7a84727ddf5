"""Made-up sentences that teach what labelled posts show too seldom; `training.capabilities` measures what came of them.

Frames, brands and things are others than there (`training/tests/test_drills.py`). The idea of such data: Ribeiro et al., "Beyond
Accuracy: Behavioral Testing of NLP Models with CheckList", ACL 2020, used for training instead of testing.
"""
