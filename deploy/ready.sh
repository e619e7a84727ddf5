#!/bin/bash
# Whether the daemon in this container is ready: GET /ready on its admin listener, without curl.
set -euo pipefail
exec 3<>"/dev/tcp/127.0.0.1/${OVERHEARD_READY_PORT:-9464}"
printf 'GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r -t 5 _protocol status _reason <&3
[[ $status == 200 ]]
