#!/bin/sh
# On a bare Debian or Ubuntu the bpy wheel misses X11 libraries that every desktop has. This fetches
# them, and only if bpy cannot be imported without.
#   install_libraries.sh PYTHON
set -eu
if "$1" -c "import bpy" >/dev/null 2>&1; then
    exit 0
fi
echo "bpy cannot be imported yet; installing the libraries that it needs." >&2
if ! command -v apt-get >/dev/null; then
    echo "This system has no apt-get: install libX11, libXi, libXrender, libXfixes, libXxf86vm," >&2
    echo "libxkbcommon, libSM and libGL in its own way, then try again." >&2
    exit 1
fi
sudo=""
[ "$(id -u)" = 0 ] || sudo="sudo"
$sudo apt-get update -qq
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    libx11-6 libxi6 libxrender1 libxfixes3 libxxf86vm1 libxkbcommon0 libsm6 libgl1 libgomp1 >/dev/null
"$1" -c "import bpy"
