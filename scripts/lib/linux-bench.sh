# Sourced by bench-peers: sections of work in Debian's Linux, here and under QEMU, by the processor time the emulators take.
# shellcheck shell=bash

# name=count for init-bench; each takes about a second or two of a host's time.
linux_sections=(true=300 integer=4000 nbody=120000 getppid=800000 fault=90000 fork=600 chase=20000000)

# watch NAME COMMAND... : runs an emulator with the guest on its standard output; appends "NAME KEY VALUE" lines to $seen:
# SECTION (CPU seconds), SECTION.ticks (the guest's clock), boot (CPU seconds to /init), rss (KiB at the end of the boot).
watch() {
    local name=$1 pid line key what ticks now pipe hz stat began=0 first=0
    shift
    hz=$(getconf CLK_TCK)
    pipe=$(mktemp -u)
    mkfifo "$pipe"
    "$@" </dev/null >"$pipe" 2>&1 &
    pid=$!
    # User and system ticks of all threads of the emulator.
    cpu() { stat=$(<"/proc/$pid/stat"); stat=${stat##*) }; read -r -a stat <<<"$stat"; now=$((stat[11] + stat[12])); }
    while IFS= read -r line; do
        case $line in *bench:*) ;; *) continue ;; esac
        read -r key what ticks <<<"${line##*bench: }"
        ticks=${ticks%$'\r'}
        case $key in
        init*)
            cpu
            awk -v n="$name" -v t="$now" -v hz="$hz" 'BEGIN { print n, "boot", t / hz }'
            sed -n "s/^VmHWM:[[:space:]]*\([0-9]*\) kB/$name rss \1/p" "/proc/$pid/status"
            ;;
        FAILED*) say "$name: section $what failed" ;;
        *)
            [ "$what" ] || continue
            cpu
            if [ "$what" = begin ]; then began=$now first=$ticks
            else awk -v n="$name" -v k="$key" -v t="$((now - began))" -v hz="$hz" -v i="$((ticks - first))" \
                'BEGIN { print n, k, t / hz; print n, k ".ticks", i }'
            fi
            ;;
        esac
    done <"$pipe" >>"$seen"
    rm -f "$pipe"
    wait "$pid" || say "$name ended with status $?"
}

# linux_bench RUNS QEMU : boots all in turn, RUNS times, and prints the best of each.
linux_bench() {
    local runs=$1 qemu=$2 tree image guest_args append run
    . "$root/scripts/lib/debian.sh"
    need_packages gcc-riscv64-linux-gnu libc6-dev-riscv64-cross
    debian_guest trixie
    tree=$(mktemp -d)
    seen=$tree/seen
    # shellcheck disable=SC2064
    trap "rm -rf '$tree'" EXIT
    riscv64-linux-gnu-gcc -O2 -static -o "$tree/bench" "$root/scripts/guest/bench.c" -lm || die "cannot build scripts/guest/bench.c"
    image=$tree/initramfs
    make_initramfs "$image" "$root/scripts/guest/init-bench" "$tree/bench" bin/bench
    append="console=ttyS0 quiet"
    for run in "${linux_sections[@]}"; do append+=" bench.$run"; done
    guest_args=(-kernel "$kernel" -initrd "$image" -append "$append" -m 1G -smp 1)
    for ((run = 1; run <= runs; run++)); do
        say "run $run of $runs"
        watch trapeze "$trapeze" run "${guest_args[@]}" --quiet
        [ -z "$qemu" ] || watch qemu "$qemu" -M virt -cpu rv64 -nographic "${guest_args[@]}"
        [ -z "$qemu" ] || watch icount "$qemu" -M virt -cpu rv64 -nographic "${guest_args[@]}" -icount shift=0,sleep=off
    done
    echo "Linux $release, 1 hart, 1 GiB; processor time of the emulators, best of $runs"
    awk -v sections="${linux_sections[*]}" '
        !(($1, $2) in best) || $3 < best[$1, $2] { best[$1, $2] = $3 }
        function value(who, key, how) {
            if (!((who, key) in best) || best[who, key] == 0) return 0
            if (how == "time") return best[who, key]
            if (how == "ns") return best[who, key] * 1e9 / count[key]
            # One instruction is 1 ns of the guest clock here, whose ticks are of 100 ns.
            if (how == "mips") return best["trapeze", key ".ticks"] * 100 / best[who, key] / 1e6
            if (how == "mib") return best[who, key] / 1024
            return count[key] / best[who, key] / how
        }
        # A figure of speed is better when it is greater.
        function row(title, key, how, greater,    t, q, i) {
            t = value("trapeze", key, how); q = value("qemu", key, how); i = value("icount", key, how)
            printf "%-44s %9.2f %9.2f %9.2f %9s %9s\n", title, t, q, i, ratio(t, q, greater), ratio(t, i, greater)
        }
        function ratio(t, q, greater) { return t && q ? sprintf("%.2f", greater ? t / q : q / t) : "-" }
        END {
            n = split(sections, s, " ")
            for (k = 1; k <= n; k++) { split(s[k], part, "="); count[part[1]] = part[2] }
            printf "%-44s %9s %9s %9s %9s %9s\n", "", "trapeze", "qemu", "icount", "x qemu", "x icount"
            row("boot to /init, CPU s", "boot", "time", 0)
            row("integer code, MIPS", "integer", "mips", 1)
            row("n-body, double precision, MIPS", "nbody", "mips", 1)
            row("getppid, k/s", "getppid", 1000, 1)
            row("page faults (mmap, touch, munmap), k/s", "fault", 1000, 1)
            row("fork and wait, /s", "fork", 1, 1)
            row(count["true"] " x /bin/true from a shell, CPU s", "true", "time", 0)
            row("pointer chase over 4 MiB, ns a load", "chase", "ns", 0)
            row("peak host memory of the boot, MiB", "rss", "mib", 0)
        }' "$seen"
    echo "the last columns: how many times better trapeze is"
}
