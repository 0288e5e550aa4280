# What every finding sources: it runs the finding's Python in a place of its own and compares with what was seen.
#
#   need PROGRAM...      leave with 77 where the system lacks one
#   broker               a Mosquitto on loopback, at $BROKER_PORT, with its defaults
#   observe <<'PYTHON'   run that with `# packages:` installed; what it prints must be the block `# seen:`
#
# Each finding ends with one line: as seen (exit code 0), changed (1) or skipped (77).

set -euo pipefail
NAME=$(basename "$0" .sh)
LIMIT_S=${LIMIT_S:-60} # for each program; a finding takes a few seconds once its packages are there
PLACE=$(mktemp -d)
PYTHON=${PYTHON:-python3}
PATH=$PATH:/usr/sbin:/usr/local/sbin
export PYTHONDONTWRITEBYTECODE=1
started=()

leave() {
    for pid in ${started[@]+"${started[@]}"}; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$PLACE"
}
trap leave EXIT
trap 'exit 130' INT TERM

# The text of a field of the header, in one line.
field() {
    sed -n "s/^# $1: //p" "$0"
}

skip() {
    echo "$NAME: skipped: $1"
    exit 77
}

need() {
    for program; do
        command -v "$program" >/dev/null || skip "$program is not installed"
    done
}

"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
    || skip "Python 3.11 or newer is needed, and $PYTHON is not that"

broker() {
    need mosquitto
    BROKER_PORT=$("$PYTHON" -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
    export BROKER_PORT
    printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$BROKER_PORT" >"$PLACE/mosquitto.conf"
    timeout $((2 * LIMIT_S)) mosquitto -c "$PLACE/mosquitto.conf" >"$PLACE/mosquitto.log" 2>&1 &
    started+=($!)
    until (: <>"/dev/tcp/127.0.0.1/$BROKER_PORT") 2>/dev/null; do
        kill -0 "$!" 2>/dev/null || skip "mosquitto did not start: $(tail -n 1 "$PLACE/mosquitto.log")"
        sleep 0.05
    done
}

observe() {
    need timeout
    "$PYTHON" -m venv "$PLACE/venv"
    # shellcheck disable=SC2046 # one word for each package
    timeout $((5 * LIMIT_S)) "$PLACE/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        $(field packages) >"$PLACE/pip" 2>&1 </dev/null || skip "pip: $(tail -n 1 "$PLACE/pip")"
    cat >"$PLACE/$NAME.py"
    cd "$PLACE"
    timeout --kill-after=5 "$LIMIT_S" venv/bin/python "$NAME.py" >now 2>errors || echo "exit code $?" >>now
    cd "$OLDPWD"
    sed -n '/^# seen:/,/^[^#]/s/^#   //p' "$0" >"$PLACE/seen"
    if ! diff -U 99 --label seen "$PLACE/seen" --label now "$PLACE/now"; then
        tail -n 20 "$PLACE/errors"
        echo "$NAME: changed since $(field versions)"
        exit 1
    fi
    echo "$NAME: as seen, with $(field packages)"
}
