# Sourced after common.sh by scripts that record a session with somebody typing, and replay it.
# shellcheck shell=bash

# type_at_prompts CONSOLE COMMAND... : runs COMMAND and types the lines of the array `typed`, one a prompt of the guest's shell, as somebody
# types: the next one when the prompt is there, at whatever moment that is for the guest. What it shows goes to CONSOLE, without
# carriage returns, its messages to CONSOLE.messages. Sets `console` to that, `status` to the command's, and `n` to how many lines found a prompt.
type_at_prompts() {
    local text= c pid keys screen
    console=$1
    shift
    coproc guest { exec timeout --kill-after=10 "${CHECK_TIMEOUT:-900}" "$@" 2>"$console.messages"; }
    pid=$guest_PID
    exec {keys}>&"${guest[1]}" {screen}<&"${guest[0]}"
    : >"$console"
    n=0 status=0
    while IFS= read -r -N1 -u "$screen" c; do
        printf '%s' "$c" >>"$console"
        text+=$c
        # The prompt, and the question for the cursor's place that the shell appends to it.
        if [[ $n -lt ${#typed[@]} && $text == *'# '$'\e[6n' ]]; then
            printf '%s\n' "${typed[n]}" >&"$keys"
            n=$((n + 1)) text=
        fi
    done
    wait "$pid" || status=$?
    sed -i 's/\r//g' "$console"
    exec {keys}>&- {screen}<&-
}

# check_session MARK... : the session ended well, every line found a prompt, and the console has a line that begins with each mark (a
# regular expression). Sets `want` to the state hash at its end.
check_session() {
    local mark
    [ $status = 0 ] || session_failed "the recording ended with $status"
    [ "$n" = ${#typed[@]} ] || session_failed "only $n of ${#typed[@]} lines found a prompt"
    for mark; do grep -q "^$mark" "$console" || session_failed "the session has no line '$mark'"; done
    want=$(sed -n 's/^state hash: //p' "$console")
    [ -n "$want" ] || session_failed "the recording printed no state hash"
}

# session_failed WHY : ends the script.
session_failed() {
    cat "$console" "$console.messages" >&2
    die "$1" "the session's console and messages are above" 1
}

# replay NAME COMMAND... : the state hash that COMMAND prints must be `want`.
replay() {
    local name=$1 got messages
    shift
    messages=$(mktemp)
    got=$("$@" 2>"$messages" </dev/null | sed -n 's/^state hash: //p') || true
    [ "$got" = "$want" ] || { cat "$messages" >&2; die "replay $name ended in ${got:-no state}, not in $want" "trapeze replay tells where they part" 1; }
    rm -f "$messages"
}
