# Sourced by the scripts: riscv64 packages of Debian through apt with a private configuration. The machine's own package
# state is neither read nor changed, no foreign architecture is added, no root is needed.
# What is taken from the machine: the mirror (from its apt sources, whatever their format, as apt itself reads them), how to
# reach it (proxies, certificates, credentials) and Debian's archive keys. Signatures and hashes are always checked.
# shellcheck shell=bash

cache=${TRAPEZE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/trapeze}

# The mirrors the machine's sources name, those of security updates last.
debian_mirrors() {
    {
        apt-get update --print-uris 2>/dev/null | sed -n "s/^'\(.*\)\/dists\/.*InRelease'.*/\1/p" | grep -v '^cdrom:' |
            awk '!seen[$0]++ { if (/security/) late = late $0 "\n"; else print } END { printf "%s", late }'
    }
}

debian_keyring() {
    local k
    need_packages debian-archive-keyring
    for k in /usr/share/keyrings/debian-archive-keyring.{pgp,gpg}; do
        [ -r "$k" ] && { echo "$k"; return; }
    done
    die "no Debian archive keyring in /usr/share/keyrings" "reinstall debian-archive-keyring"
}

# debian_setup SUITE : prepares the private configuration and fetches the index once a day.
debian_setup() {
    suite=$1
    apt_dir=$cache/apt/$suite
    mkdir -p "$apt_dir"/{lists/partial,archives/partial,etc/preferences.d,etc/trusted.gpg.d}
    : >"$apt_dir/status"
    local keyring mirror ok=
    keyring=$(debian_keyring)
    {
        # Proxies, certificates, time-outs: whatever the machine needs to reach its mirror.
        apt-config dump | grep '^Acquire::' | grep -v -e '^Acquire::IndexTargets' -e '^Acquire::Languages' -e '^Acquire::GzipIndexes'
        apt-config dump | grep -E '^Dir::Etc::netrc(parts)? ' |
            while read -r key value; do
                value=${value#\"}; value=${value%\";}
                case $value in /*) ;; *) value=/etc/apt/$value ;; esac
                printf '%s "%s";\n' "$key" "$value"
            done
        cat <<CONF
APT::Architecture "riscv64";
APT::Architectures { "riscv64"; };
APT::Install-Recommends "false";
APT::Sandbox::User "$(id -un)";
Acquire::Languages "none";
Dir::State "$apt_dir";
Dir::State::lists "$apt_dir/lists";
Dir::State::status "$apt_dir/status";
Dir::Cache "$apt_dir";
Dir::Cache::archives "$apt_dir/archives";
Dir::Etc::sourcelist "$apt_dir/etc/sources.list";
Dir::Etc::sourceparts "-";
Dir::Etc::parts "-";
Dir::Etc::main "-";
Dir::Etc::preferences "-";
Dir::Etc::preferencesparts "$apt_dir/etc/preferences.d";
Dir::Etc::trusted "-";
Dir::Etc::trustedparts "$apt_dir/etc/trusted.gpg.d";
CONF
    } >"$apt_dir/apt.conf"
    [ -z "$(find "$apt_dir/fresh" -mmin -1440 2>/dev/null)" ] || return 0
    for mirror in $(debian_mirrors); do
        printf 'deb [arch=riscv64 signed-by=%s] %s %s main\n' "$keyring" "$mirror" "$suite" >"$apt_dir/etc/sources.list"
        say "reading the package index of $suite"
        if debian_apt apt-get -q update -o APT::Update::Error-Mode=any >"$apt_dir/log" 2>&1; then ok=1; break; fi
    done
    [ -n "$ok" ] || {
        tail -n 8 "$apt_dir/log" >&2 2>/dev/null
        die "no mirror of this machine's apt sources serves $suite for riscv64" \
            "check 'apt-get update'; the sources must name a Debian mirror"
    }
    touch "$apt_dir/fresh"
}

debian_apt() { APT_CONFIG=$apt_dir/apt.conf "$@"; }

# debian_version PACKAGE : the version the index offers.
debian_version() { debian_apt apt-cache show --no-all-versions "$1" 2>/dev/null | sed -n 's/^Version: //p' | head -1; }

# debian_unpack PACKAGE DIR PATTERN... : downloads a package and unpacks what matches (tar wildcards) into DIR.
debian_unpack() {
    local package=$1 dir=$2 deb tmp
    shift 2
    tmp=$(mktemp -d "$apt_dir/get.XXXXXX")
    say "downloading $package"
    (cd "$tmp" && debian_apt apt-get -q download "$package" >log 2>&1) || {
        cat "$tmp/log" >&2; rm -rf "$tmp"
        die "cannot download $package of $suite" "see apt's message above"
    }
    deb=("$tmp"/*.deb)
    mkdir -p "$dir"
    # A pattern without a match is fine: which package holds what differs between suites.
    dpkg-deb --fsys-tarfile "${deb[0]}" | tar -x -C "$dir" --wildcards --no-anchored "$@" 2>/dev/null || true
    rm -rf "$tmp"
}

# debian_guest SUITE : sets kernel, busybox, kvm, opensbi (paths) from the suite's packages.
debian_guest() {
    need_packages apt dpkg tar xz-utils
    debian_setup "$1"
    local packages version p
    # The meta package leads to the kernel's own; newer suites split image and modules.
    packages=$(debian_apt apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
        --no-enhances linux-image-riscv64 2>/dev/null | grep -E '^linux-(image|binary|modules)-[0-9]' | sort -u)
    [ -n "$packages" ] || die "the index of $suite has no riscv64 kernel" "remove $apt_dir and try again"
    version=$(sed -n 's/^linux-image-//p' <<<"$packages" | head -1)
    guest=$cache/guest/$suite/$version
    # What an older version of this script unpacked may lack the disk's modules.
    if [ ! -e "$guest/complete" ] || [ -z "$(find "$guest/root" -name 'virtio_blk.ko')" ]; then
        rm -rf "$guest"; mkdir -p "$guest"
        for p in $packages; do debian_unpack "$p" "$guest/root" 'boot/vmlinu*' 'vmlinuz' 'arch/riscv/kvm/kvm.ko*' \
            'virtio_mmio.ko*' 'virtio_blk.ko*'; done
        debian_unpack busybox-static "$guest/root" 'bin/busybox'
        debian_unpack opensbi "$guest/root" 'generic/fw_dynamic.bin'
        find "$guest/root" -name '*.ko.xz' -exec xz -d {} +
        touch "$guest/complete"
    fi
    kernel=$(find "$guest/root" -type f \( -name 'vmlinu[xz]-*' -o -name vmlinuz \) | head -1)
    busybox=$(find "$guest/root" -type f -name busybox | head -1)
    kvm=$(find "$guest/root" -type f -name kvm.ko | head -1)
    opensbi=$(find "$guest/root" -type f -name fw_dynamic.bin | head -1)
    virtio_mmio=$(find "$guest/root" -type f -name virtio_mmio.ko | head -1)
    virtio_blk=$(find "$guest/root" -type f -name virtio_blk.ko | head -1)
    for p in kernel busybox kvm opensbi virtio_mmio virtio_blk; do
        [ -n "${!p}" ] || { rm -f "$guest/complete"; die "the packages of $suite hold no $p" "remove $guest and try again"; }
    done
    release=$version
}

# make_initramfs OUT INIT [FILE PLACE]... : a newc archive of busybox, INIT as /init, the KVM module where modprobe looks for it, and
# files of the caller's; modules among them go to lib/modules/$release and need none but built-in ones.
# The kernel's own built-in archive provides /dev/console, so that no device node has to be made here.
make_initramfs() {
    local out=$1 init=$2 tree module
    shift 2
    need_packages cpio
    tree=$(mktemp -d)
    mkdir -p "$tree"/{bin,sbin,dev,proc,sys,tmp,root,"lib/modules/$release"}
    install -m755 "$busybox" "$tree/bin/busybox"
    ln -s busybox "$tree/bin/sh"
    ln -s bin/busybox "$tree/linuxrc"
    install -m755 "$init" "$tree/init"
    install -m644 "$kvm" "$tree/lib/modules/$release/kvm.ko"
    for (( ; $# >= 2; )); do
        install -m755 "$1" "$tree/$2"
        shift 2
    done
    for module in "$tree/lib/modules/$release"/*.ko; do echo "${module##*/}:"; done >"$tree/lib/modules/$release/modules.dep"
    (cd "$tree" && find . -mindepth 1 | LC_ALL=C sort | cpio --quiet -o -H newc --reproducible -R 0:0) >"$out.tmp"
    mv "$out.tmp" "$out"
    rm -rf "$tree"
}
