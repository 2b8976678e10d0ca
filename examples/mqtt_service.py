"""Label the texts of one MQTT topic and publish the labels to another; mqtt-mood.service runs it under systemd.

Run it: pip install sentiment-edge paho-mqtt && python mqtt_service.py localhost 1883 reviews reviews/labels
"""

import json
import logging
import os
import signal
import socket
import sys
import time
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from sentiment_edge import Classifier, InputError, load

LONGEST = 20_000  # bytes of a message that is labelled
log = logging.getLogger("mqtt_service")


def tell_systemd(state: str) -> None:
    """Send a state, if it is systemd that runs this."""
    if address := os.environ.get("NOTIFY_SOCKET"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
            datagrams.sendto(state.encode(), address.replace("@", "\0", 1) if address[0] == "@" else address)


def serve(classifier: Classifier, host: str, port: int, texts: str, labels: str) -> None:
    """Label messages until an exception, such as a signal's, ends it."""

    def connected(client: Client, _data: object, _flags: object, reason: Any, _properties: object) -> None:
        if reason.is_failure:
            sys.exit(f"the broker at {host}:{port} refuses: {reason}")
        client.subscribe(texts, qos=1)  # each time: a broker that was started anew knows of no earlier one
        log.info("connected to %s:%d", host, port)

    def arrived(client: Client, _data: object, message: MQTTMessage) -> None:
        try:
            if not 0 < len(message.payload) <= LONGEST:
                raise InputError(f"{len(message.payload)} bytes, 1 to {LONGEST} allowed")
            text = message.payload.decode("utf-8")
            client.publish(labels, json.dumps({"text": text, **classifier(text).to_dict()}, ensure_ascii=False), qos=1)
        except (UnicodeDecodeError, InputError) as error:  # the message's fault: the next one may be better
            log.warning("no label for a message: %s", error)

    client = Client(CallbackAPIVersion.VERSION2)
    client.on_connect, client.on_message = connected, arrived
    client.connect_async(host, port)
    level = logging.WARNING
    try:
        while True:
            tell_systemd("WATCHDOG=1")  # one thread does all: where the model hangs, systemd starts the service anew
            if client.loop(timeout=1):  # an error, 0 is none
                try:
                    client.reconnect()
                    level = logging.WARNING
                except OSError as error:
                    log.log(level, "no broker at %s:%d (%s): waiting for it", host, port, error)
                    level = logging.DEBUG  # one line is enough, however long it takes
                time.sleep(1)
    finally:
        client.disconnect()


if __name__ == "__main__":
    host, port, texts, labels = sys.argv[1:] if len(sys.argv) == 5 else sys.exit(__doc__)
    if port not in map(str, range(1, 65536)):
        sys.exit(f"{port!r} is no port: give a number from 1 to 65535, such as 1883")
    if not labels or {*labels} & {*"+#"}:
        sys.exit(f"{labels!r} is no topic to publish to: give one without + and #, such as reviews/labels")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    signal.signal(signal.SIGINT, lambda *_: sys.exit())
    with load(warm=True) as ready:
        tell_systemd("READY=1")
        serve(ready, host, int(port), texts, labels)
