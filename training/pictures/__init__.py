"""Pictures: labelled sets, hold-outs, drawn scenes, crops, boxes, and the metrics of detection.

What reads labelled sets and computes metrics (`data_files`, `flickrlogos`, `hold_outs`, `imglab`, `labelled`, `matching`,
`metrics`) needs the standard library only, since `training.measure.pictures` runs without a virtual environment.
"""
