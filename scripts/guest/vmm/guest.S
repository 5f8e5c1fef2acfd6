// A guest that looks after itself. Each round: a device's register written and read, a page that the hypervisor has to supply, and a block of
// arithmetic in VS-mode or VU-mode with a known value in every register, which the timer interrupts. Whatever is not as it was is told to the VMM.
// It is copied to the beginning of RAM and runs there without translation of its own: everything is relative to the pc.
#include "guest.h"

    .option norelax
    .section .rodata
    .balign 4096
    .globl guest_begin, guest_end

    .macro integers op, place
    .irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
    \op x\n, \place + 8 * \n(x31)
    .endr
    .endm
    .macro each_float text:vararg
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    \text \n
    .endr
    .endm
    .macro load_float n
    fld f\n, AREA_F + 8 * \n(s0)
    .endm
    .macro check_float n
    fmv.x.d a0, f\n
    ld a1, AREA_F + 8 * \n(s0)
    li a2, WRONG_F + \n
    bne a0, a1, wrong
    .endm
    .macro check_csr csr, number
    csrr a0, \csr
    li a2, \number
    bne a0, a1, wrong
    .endm
    // The next timer interrupt. Changes t0, a0, a1, a6, a7; s0 is the area.
    .macro arm
    ld t0, AREA_TICKS(s0)
    rdtime a0
    add a0, a0, t0
    li a7, 0x54494d45
    li a6, 0
    ecall
    .endm

// a1 = the area
guest_begin:
    csrw sscratch, a1
    mv s0, a1
    lla t0, guest_trap
    csrw stvec, t0
    csrw satp, zero
    li t0, 3 << 13              // FS
    csrs sstatus, t0
    each_float load_float
    arm
    li t0, 1 << 5               // STIE
    csrw sie, t0

next_round:
    csrr s0, sscratch
    li s2, DEVICE
    ld s3, AREA_FRESH(s0)
    ld s4, AREA_ROUND(s0)
    ld t0, AREA_ROUNDS(s0)
    beq s4, t0, end
    addi s4, s4, 1
    sd s4, AREA_ROUND(s0)

    sd s4, DEVICE_ROUND(s2)
    ld a0, DEVICE_ECHO(s2)
    slli a1, s4, 1
    add a1, a1, s4
    addi a1, a1, 1
    li a2, WRONG_ECHO
    bne a0, a1, wrong

    andi t0, s4, FRESH_PAGES - 1
    bnez t0, 1f
    sd zero, DEVICE_DISCARD(s2)
1:  slli t1, t0, 12
    add t1, t1, s3
    ld a0, (t1)
    li a1, 0
    li a2, WRONG_FRESH
    bne a0, a1, wrong
    sd s4, (t1)
    beqz t0, 2f
    li t2, 4096
    sub t1, t1, t2
    ld a0, (t1)                 // what the round before wrote
    addi a1, s4, -1
    li a2, WRONG_KEPT
    bne a0, a1, wrong

    // Odd rounds in VS-mode, even ones in VU-mode; two of four with SIE=1.
2:  li t0, 0x122                // SPP SPIE SIE
    csrc sstatus, t0
    andi t1, s4, 1
    slli t1, t1, 8
    andi t2, s4, 2
    slli t2, t2, 4
    or t1, t1, t2
    csrs sstatus, t1
    csrr t0, sstatus
    sd t0, AREA_SSTATUS(s0)
    lla t0, block
    csrw sepc, t0
    mv x31, s0
    integers ld, AREA_START
    ld x31, AREA_START + 8 * 31(x31)
    sret

// x5 rounds of x6 = x6 * x7 + x5
block:
    mul x6, x6, x7
    add x6, x6, x5
    addi x5, x5, -1
    bnez x5, block
block_end:
    ebreak

    .balign 4
guest_trap:
    csrrw x31, sscratch, x31
    integers sd, AREA_SAVED
    mv s0, x31
    csrrw t0, sscratch, s0
    sd t0, AREA_SAVED + 8 * 31(s0)
    csrr s1, scause
    li t0, 3                    // breakpoint
    beq s1, t0, compare
    li t0, 1 << 63 | 5          // supervisor timer interrupt
    beq s1, t0, 1f
    mv a0, s1
    csrr a1, sepc
    li a2, WRONG_TRAP
    j wrong
1:  ld t0, AREA_TIMERS(s0)
    addi t0, t0, 1
    sd t0, AREA_TIMERS(s0)
    arm
    mv x31, s0
    integers ld, AREA_SAVED
    ld x31, AREA_SAVED + 8 * 31(x31)
    sret

compare:
    li a2, 1
1:  slli t0, a2, 3
    add t0, t0, s0
    ld a0, AREA_SAVED(t0)
    ld a1, AREA_EXPECTED(t0)
    bne a0, a1, wrong
    addi a2, a2, 1
    li t0, 32
    bne a2, t0, 1b
    each_float check_float
    lla a1, block_end
    check_csr sepc, WRONG_SEPC
    ld a1, AREA_SSTATUS(s0)
    check_csr sstatus, WRONG_SSTATUS
    lla a1, guest_trap
    check_csr stvec, WRONG_STVEC
    li a1, 0
    check_csr satp, WRONG_SATP
    li a1, 1 << 5
    check_csr sie, WRONG_SIE
    j next_round

// a0 = what was found, a1 = what was expected, a2 = where
wrong:
    li s2, DEVICE
    sd a0, DEVICE_FOUND(s2)
    sd a1, DEVICE_EXPECTED(s2)
    sd a2, DEVICE_WRONG(s2)
    j wrong
end:
    ld t0, AREA_TIMERS(s0)
    sd t0, DEVICE_END(s2)
    j end
guest_end:

    .section .note.GNU-stack, "", @progbits
