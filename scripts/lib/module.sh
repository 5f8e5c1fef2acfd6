# Sourced by sse-linux and check-sse-replay after debian.sh: builds scripts/guest/sse for the guest's kernel from its headers. The headers are data for any host; the
# programs of Debian's kernel build, which are not, are not needed: a module's own description is a few lines.
# shellcheck shell=bash

# debian_headers : sets headers (the kernel's configuration, generated files, checksums of symbols) and headers_common of $release.
debian_headers() {
    local dir=$guest/headers p
    if [ ! -e "$dir/complete" ]; then
        rm -rf "$dir"
        for p in "linux-headers-$release" "linux-headers-${release%-riscv64}-common"; do
            debian_unpack "$p" "$dir" 'linux-headers-*/include' 'linux-headers-*/arch/riscv' 'linux-headers-*/Module.symvers'
        done
        touch "$dir/complete"
    fi
    headers=$(find "$dir/usr/src" -maxdepth 1 -name "linux-headers-$release")
    headers_common=$(find "$dir/usr/src" -maxdepth 1 -name 'linux-headers-*-common')
    [ -e "$headers/Module.symvers" ] && [ -e "$headers_common/include/linux/module.h" ] || {
        rm -f "$dir/complete"
        die "the packages of $suite hold no headers of linux $release" "remove $dir and try again"
    }
}

# build_module OUT : compiles scripts/guest/sse into OUT, a module of the guest's kernel.
build_module() {
    local out=$1 cross=riscv64-linux-gnu- tree source=$root/scripts/guest/sse name=trapeze_sse
    local common=$headers_common arch=$headers code compile
    need_packages gcc-riscv64-linux-gnu
    tree=$(mktemp -d)
    code=(-O2 -mabi=lp64 -march=rv64imac_zicsr_zifencei -mcmodel=medany -mno-relax -msmall-data-limit=0 -fno-PIE)
    # The paths and options of the kernel's own build that change what its headers say.
    compile=("${cross}gcc" -nostdinc -I"$common/arch/riscv/include" -I"$arch/arch/riscv/include/generated" -I"$common/include" -I"$arch/include"
        -I"$common/arch/riscv/include/uapi" -I"$arch/arch/riscv/include/generated/uapi" -I"$common/include/uapi" -I"$arch/include/generated/uapi"
        -include "$common/include/linux/compiler-version.h" -include "$common/include/linux/kconfig.h"
        -include "$common/include/linux/compiler_types.h"
        -D__KERNEL__ -DMODULE "-DKBUILD_MODNAME=\"$name\"" "-DKBUILD_MODFILE=\"$name\"" "-DKBUILD_BASENAME=\"$name\"" "-D__KBUILD_MODNAME=$name"
        "${code[@]}" -std=gnu11 -fms-extensions -fshort-wchar -funsigned-char -fno-common -fno-strict-aliasing -fno-delete-null-pointer-checks
        -fno-stack-protector -fno-asynchronous-unwind-tables -Wall -Wno-attributes -Wno-pointer-sign)
    # What linking adds to a module: which kernel it is for, where it begins and ends, the checksum of each symbol it takes.
    description() {
        cat <<'TEXT'
#define INCLUDE_VERMAGIC
#include <linux/module.h>
#include <linux/vermagic.h>
MODULE_INFO(vermagic, VERMAGIC_STRING);
MODULE_INFO(name, KBUILD_MODNAME);
__visible struct module __this_module __section(".gnu.linkonce.this_module") = {
    .name = KBUILD_MODNAME, .init = init_module, .exit = cleanup_module, .arch = MODULE_ARCH_INIT,
};
#ifdef CONFIG_MODVERSIONS
static const struct modversion_info versions[] __used __section("__versions") = {
TEXT
        { echo module_layout; "${cross}nm" -u "$tree/all.o" | sed 's/.* //'; } |
            awk 'NR == FNR { want[$1] = 1; next } $2 in want { printf "    { %s, \"%s\" },\n", $1, $2 }' - "$arch/Module.symvers"
        printf '};\n#endif\n'
    }
    {
        "${compile[@]}" -c "$source/sse.c" -o "$tree/sse.o" &&
            "${cross}gcc" "${code[@]}" -c "$source/entry.S" -o "$tree/entry.o" &&
            "${cross}ld" -r -o "$tree/all.o" "$tree/sse.o" "$tree/entry.o" &&
            description >"$tree/description.c" &&
            "${compile[@]}" -c "$tree/description.c" -o "$tree/description.o" &&
            "${cross}ld" -r -T "$arch/arch/riscv/module.lds" --build-id=sha1 -o "$tree/module" "$tree/all.o" "$tree/description.o"
    } || { rm -rf "$tree"; die "cannot build scripts/guest/sse for linux $release" "see the compiler's message above"; }
    mv "$tree/module" "$out"
    rm -rf "$tree"
}

# build_sse DIR : the module and the VMM with its guest, for the suite's kernel. Sets module, vmm, out.
build_sse() {
    out=$1
    debian_headers
    need_packages gcc-riscv64-linux-gnu libc6-dev-riscv64-cross
    mkdir -p "$out"
    module=$out/trapeze_sse-$suite.ko vmm=$out/vmm
    build_module "$module"
    riscv64-linux-gnu-gcc -O2 -static -pthread -o "$vmm" "$root/scripts/guest/vmm/vmm.c" "$root/scripts/guest/vmm/guest.S" ||
        die "cannot build scripts/guest/vmm" "see the compiler's message above"
}
