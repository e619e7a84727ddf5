"""The one-pass logo detector: EfficientNet-Lite0, a feature pyramid, anchor-free heads at four strides."""
