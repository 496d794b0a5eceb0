#!/bin/sh
exec /usr/lib/sekisho/bin/node --max-semi-space-size=4 /usr/lib/sekisho/dist/main.js "$@"
