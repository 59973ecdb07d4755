#!/bin/sh
# Starts Puppeteer by a double click: on macOS this file, on Linux start.desktop, which runs it. The first time it
# installs what is needed into the folder .venv. Options are handed on: ./start.command --source demo

cd "$(dirname "$0")" || exit 1

stay() { # the message stays until it is read
    printf '\n%s\n' "$1"
    if [ -t 0 ]; then
        printf '\nPress Enter to close this window. '
        read -r _
    fi
    exit 1
}

suits='import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12), (3, 13), (3, 14)) or sys.maxsize < 2**32)'

if ! .venv/bin/python -c "$suits" 2>/dev/null; then
    PATH="$PATH:/usr/local/bin:/opt/homebrew/bin"
    found=
    for python in python3.13 python3.12 python3.11 python3.14 python3; do
        # Apple's own python3 only asks to install developer tools where these are missing.
        if [ "$(command -v "$python")" = /usr/bin/python3 ] && [ "$(uname)" = Darwin ] && ! xcode-select -p >/dev/null 2>&1; then
            continue
        fi
        if "$python" -c "$suits" 2>/dev/null; then
            found=$python
            break
        fi
    done
    [ "$found" ] || stay "Puppeteer needs Python 3.11 to 3.14, 64 bit, and none is found. Get it from
    https://www.python.org/downloads/
(on Debian and Ubuntu: sudo apt-get install python3 python3-venv), then start this again."
    echo "Making a folder for the packages (.venv) ..."
    "$found" -m venv --clear .venv || stay "The folder .venv could not be made: the reason is above.
On Debian and Ubuntu: sudo apt-get install python3-venv, then start this again."
fi

if ! cmp -s requirements.txt .venv/installed.txt; then
    echo "Installing the packages. The first time this takes some minutes ..."
    more=
    small=https://download.pytorch.org/whl/cpu # PyTorch without gigabytes for NVIDIA cards
    if [ "$(uname)" = Linux ] && [ ! -e /proc/driver/nvidia ] &&
        .venv/bin/python -c "import urllib.request as r; r.urlopen('$small/torch/', timeout=5)" 2>/dev/null; then
        more="--extra-index-url $small"
    fi
    # shellcheck disable=SC2086 - two words, or none
    .venv/bin/python -m pip install --disable-pip-version-check -r requirements.txt $more ||
        stay "The installation failed: the reason is above. Check the internet connection, then start this again."
    cp requirements.txt .venv/installed.txt
fi

.venv/bin/python app.py "$@"
ended=$?
case $ended in
    0 | 130) exit "$ended" ;; # 130 is Ctrl-C
esac
stay "Puppeteer has ended because of the message above. If that does not help:
    .venv/bin/python app.py doctor"
