# Sourced after common.sh by scripts that drive GDB through a guest by a list of commands.
# shellcheck shell=bash

need_packages gdb-multiarch
work=$(mktemp -d)
socket=$work/gdb
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

# gdb_session SECONDS SYMBOLS OPTION... : `trapeze debug OPTION...`, and GDB with the SYMBOLS of a file ('' for none), which reads commands
# from standard input: "target remote $socket" among them. What GDB says is appended to $work/seen, trapeze's messages to $work/stderr.
gdb_session() {
    local seconds=$1 symbols=$2 messages line
    shift 2
    rm -f "$socket"
    exec {messages}< <(exec "$trapeze" debug --gdb "unix:$socket" "$@" </dev/null 2>&1 >"$work/console")
    server=$!
    # It says so when it listens.
    while IFS= read -r line <&"$messages"; do
        printf '%s\n' "$line" >>"$work/stderr"
        [[ $line != *'listening for GDB'* ]] || break
    done
    cat <&"$messages" >>"$work/stderr" &
    { printf 'set %s\n' 'pagination off' 'confirm off' 'width 0' "remotetimeout $seconds"; cat; } >"$work/script"
    timeout "$seconds" gdb-multiarch -nx -batch -x "$work/script" ${symbols:+"$symbols"} >>"$work/seen" 2>&1 || true
    wait "$server" || true
    server=
    wait
    exec {messages}<&-
}
