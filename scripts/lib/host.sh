# Sourced after debian.sh: trapeze for hosts of other kinds, built with Debian's cross compilers (for the linker, and what C a library has) and Rust's standard library of the
# compiler's own version: through rustup where that can get it, else from Debian's package for that architecture, beside Debian's compiler.
# shellcheck shell=bash

# foreign_std ARCH TARGET : sets `sysroot` to a directory with the standard library of /usr/bin/rustc for TARGET, from the machine's own apt sources. The
# machine's package state is not changed, and no foreign architecture is added.
foreign_std() {
    local arch=$1 target=$2 compiler package version offered apt_dir=$cache/apt/std-$1 suite=$1
    compiler=$(dpkg-query -S /usr/bin/rustc | cut -d: -f1)
    package=libstd-rust${compiler#rustc}-dev
    version=$(dpkg-query -W -f '${Version}' "$compiler")
    sysroot=$cache/hosts/$package-$version/usr
    [ ! -e "$sysroot/lib/rustlib/$target" ] || return 0
    mkdir -p "$apt_dir"/{lists/partial,archives/partial}
    : >"$apt_dir/status"
    cat >"$apt_dir/apt.conf" <<CONF
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
APT::Sandbox::User "$(id -un)";
Acquire::Languages "none";
Dir::State "$apt_dir";
Dir::State::status "$apt_dir/status";
Dir::Cache "$apt_dir";
CONF
    say "reading the package index of $arch"
    debian_apt apt-get -q update >"$apt_dir/log" 2>&1 || true
    # The same version but for a rebuild of one architecture alone.
    offered=$(debian_apt apt-cache show "$package" 2>/dev/null | sed -n 's/^Version: //p' | awk -v want="${version%+b[0-9]*}" '
        { bare = $0; sub(/\+b[0-9]+$/, "", bare) } bare == want { print; exit }')
    [ -n "$offered" ] || die "the apt sources have no $package $version for $arch" \
        "bring $compiler up to date, or install rustup and the target $target"
    debian_unpack "$package=$offered" "${sysroot%/usr}.new" "rustlib/$target"
    mkdir -p "$sysroot/lib/rustlib"
    mv "${sysroot%/usr}.new/usr/lib/rustlib/$target" "$sysroot/lib/rustlib/"
    rm -rf "${sysroot%/usr}.new"
}

# build_for HOST : builds trapeze for HOST (aarch64, s390x, x86_64). Sets `foreign` to the command that runs it here.
build_for() {
    local host=$1 target=$1-unknown-linux-gnu arch name sysroot
    case $host in aarch64) arch=arm64 ;; x86_64) arch=amd64 ;; *) arch=$host ;; esac
    need_packages "gcc-${host//_/-}-linux-gnu" "libc6-dev-$arch-cross" qemu-user
    name=${target^^}
    name=${name//-/_}
    say "building trapeze for $host"
    (
        cd "$root"
        export "CARGO_TARGET_${name}_LINKER=$host-linux-gnu-gcc"
        if ! command -v rustup >/dev/null || ! rustup -q target add "$target" 2>/dev/null; then
            # The compiler that Debian's library is for.
            PATH=/usr/bin:$PATH
            { [ -x /usr/bin/rustc ] && rust_ok; } || need_packages cargo-web rustc-web
            foreign_std "$arch" "$target"
            export "CARGO_TARGET_${name}_RUSTFLAGS=--sysroot $sysroot"
        fi
        cargo build --release --locked -q -p trapeze --target "$target"
    ) || die "cannot build trapeze for $host" "see the message above"
    foreign=("qemu-$host" -L "/usr/$host-linux-gnu" "${CARGO_TARGET_DIR:-$root/target}/$target/release/trapeze")
}
