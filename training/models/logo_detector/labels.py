"""The brands that the detector knows, in the order of its classes."""

# VMware first, then the brands of FlickrLogos-27 in alphabetical order.
LABELS = (
    "vmware", "adidas", "apple", "bmw", "citroen", "cocacola", "dhl", "fedex", "ferrari", "ford", "google", "heineken",
    "hp", "intel", "mcdonalds", "mini", "nbc", "nike", "pepsi", "porsche", "puma", "redbull", "sprite", "starbucks",
    "texaco", "unicef", "vodafone", "yahoo",
)
INDEX = {label: index for index, label in enumerate(LABELS)}
