#!/usr/bin/env bash
# Makes sure that there is a Chromium for the browser tests.
set -euo pipefail

if [ -n "${EASYMODEL_CHROMIUM:-}" ]; then
  [ -x "$EASYMODEL_CHROMIUM" ] && exit 0
  echo "EASYMODEL_CHROMIUM names $EASYMODEL_CHROMIUM, which cannot be run." >&2
  exit 1
fi
for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null && exit 0
done
# One that `playwright install chromium` put there.
compgen -G "${PLAYWRIGHT_BROWSERS_PATH:-$HOME/.cache/ms-playwright}/chromium-*" >/dev/null && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Chromium with apt-get"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core fonts-liberation >/dev/null
  exit 0
fi
cat >&2 <<'TEXT'
The browser tests need Chromium, and it cannot be installed from here without root. One of:
  - sudo apt-get install chromium
  - .venv/bin/playwright install chromium
  - EASYMODEL_CHROMIUM=/path/to/chromium make test
TEXT
exit 1
