#!/usr/bin/env python3
"""Prints the alerts of the topic overheard.alerts: examples/alert_consumer.py [BROKERS]"""

import json
import sys

from confluent_kafka import Consumer

brokers = sys.argv[1] if len(sys.argv) > 1 else "localhost:9092"
consumer = Consumer({"bootstrap.servers": brokers, "group.id": "alert-example", "auto.offset.reset": "earliest"})
consumer.subscribe(["overheard.alerts"])
seen = set()  # a real consumer keeps these where its own work is kept
try:
    while True:
        message = consumer.poll(1.0)
        if message is None:
            continue
        if message.error():
            print(message.error(), file=sys.stderr)
            continue
        alert = json.loads(message.value())
        if alert["message_id"] in seen:
            continue
        seen.add(alert["message_id"])
        if alert["kind"] == "behind":  # no incident: until it has caught up, alerts come late
            print(f"{alert['state']:9} since {alert['since']}", flush=True)
            continue
        print(f"{alert['state']:9} {alert['brand']:12} {alert['rule']}: {alert['value']:g}, threshold {alert['threshold']:g}", flush=True)
except KeyboardInterrupt:
    pass
finally:
    consumer.close()
