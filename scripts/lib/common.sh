# Sourced by the scripts: messages, packages of the host, the Rust tools.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

die() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    [ -z "${2:-}" ] || printf '  remedy: %s\n' "$2" >&2
    exit "${3:-3}"
}

say() { printf '== %s\n' "$*" >&2; }

# Runs a command as root, asking sudo if we are not.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else die "need root for: $*" "run it as root, or install sudo"
    fi
}

# need_packages PACKAGE... : installs those that are missing.
need_packages() {
    local p missing=()
    for p in "$@"; do
        dpkg-query -W -f '${db:Status-Abbrev}' "$p" 2>/dev/null | grep -q '^ii' || missing+=("$p")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing ${missing[*]}"
    # Lists may be absent on a fresh machine; try without a refresh first, it is faster where they are there.
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "${missing[@]}" >/dev/null 2>&1 && return 0
    as_root apt-get -qq update >&2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "${missing[@]}" >&2 ||
        die "cannot install ${missing[*]}" "see apt's message above"
}

# The oldest Rust that knows what this workspace uses.
rust_minimum=1.88

rust_ok() {
    local v
    v=$(rustc --version 2>/dev/null | cut -d' ' -f2) && [ -n "$v" ] &&
        [ "$(printf '%s\n' "$rust_minimum" "${v%%-*}" | sort -V | head -1)" = "$rust_minimum" ]
}

# Makes sure that cargo is there and new enough. Where there is no Rust at all, takes the distribution's: its own compiler if that will do,
# else the newer one that stable releases carry for web browsers.
need_cargo() {
    [ -e "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"
    need_packages gcc libc6-dev ca-certificates
    rust_ok && command -v cargo >/dev/null && return 0
    local suffix candidate refreshed=
    if ! command -v rustc >/dev/null; then
        for suffix in '' -web; do
            candidate=$(apt-cache policy "rustc$suffix" 2>/dev/null | sed -n 's/^ *Candidate: //p')
            if [ -z "$candidate" ] && [ -z "$refreshed" ]; then
                refreshed=1
                as_root apt-get -qq update >&2 || true
                candidate=$(apt-cache policy "rustc$suffix" 2>/dev/null | sed -n 's/^ *Candidate: //p')
            fi
            if [ -n "$candidate" ] && dpkg --compare-versions "$candidate" ge "$rust_minimum"; then
                need_packages "cargo$suffix" "rustc$suffix"
                rust_ok && return 0
            fi
        done
    fi
    die "need Rust $rust_minimum or newer; found: $(rustc --version 2>/dev/null || echo none)" \
        "install the stable toolchain with rustup, or Debian's cargo-web and rustc-web"
}

# Makes sure that cargo fmt and cargo clippy are there, from where the compiler came: those of another release cannot read this workspace.
need_rust_tools() {
    local web=
    command -v rustup >/dev/null && { rustup -q component add rustfmt clippy || die "cannot add rustfmt and clippy" "see rustup's message above"; return; }
    if dpkg-query -S "$(command -v rustc)" 2>/dev/null | grep -q '^rustc-web:'; then web=-web; fi
    if [ -n "$web" ] || ! command -v cargo-fmt >/dev/null; then need_packages "rustfmt$web"; fi
    if [ -n "$web" ] || ! command -v cargo-clippy >/dev/null; then need_packages "rust$web-clippy"; fi
}

build_trapeze() {
    need_cargo
    say "building trapeze"
    (cd "$root" && cargo build --release --locked -q -p trapeze) || die "the build failed" "see cargo's message above"
    trapeze=${CARGO_TARGET_DIR:-$root/target}/release/trapeze
}
