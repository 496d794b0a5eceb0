#!/bin/sh
exec /usr/lib/sekisho/bin/node --max-semi-space-size=4 --v8-pool-size=1 /usr/lib/sekisho/dist/main.js "$@"
