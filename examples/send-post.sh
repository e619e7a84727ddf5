#!/usr/bin/env bash
# Sends the post in post.json to the topic `posts`: examples/send-post.sh [BROKERS]
set -euo pipefail
brokers=${1:-localhost:9092}
exec kcat -P -b "$brokers" -t posts "$(dirname "${BASH_SOURCE[0]}")/post.json"
