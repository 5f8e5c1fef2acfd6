# A supervisor in HS-mode whose hstatus.SPV happens to be 1 takes a software event; its handler does nothing but complete. It must go
# on in HS-mode (SBI 3.0, "Software Event Injection": SPV becomes the interrupted V). If it goes on with V=1, reading hstatus traps.
    .include "rom.inc"
    .equ SSE, 0x535345
    .equ HSTATUS, 0x600
    .equ EVENT, -0x10000            # 0xffff0000, local software: of its register only 32 bits count

.macro SBI eid, fid
    li      a7, \eid
    li      a6, \fid
    ecall
.endm

    .section .text.init
    .globl _start
_start:
    mv      s0, a0                  # hart id
    la      t0, trap
    csrw    stvec, t0
    li      s1, 1 << 7              # SPV
    csrs    HSTATUS, s1
    li      a0, EVENT
    la      a1, handler
    SBI     SSE, 2                  # register
    li      a0, EVENT
    SBI     SSE, 4                  # enable
    SBI     SSE, 8                  # unmask
    li      a0, EVENT
    mv      a1, s0
    SBI     SSE, 7                  # inject: the handler runs before the next instruction
    csrr    t0, HSTATUS             # with V=1 a virtual-instruction exception, taken at trap
    bnez    a0, other
    la      a1, healthy
    li      a0, 18
    li      s2, 0
    j       print

    .balign 4
handler:
    SBI     SSE, 6                  # complete
trap:
    csrr    t0, scause
    li      t1, 22
    bne     t0, t1, other
    la      a1, corrupted
    li      a0, 21
other:                              # without a text
    li      s2, 1
print:
    li      a2, 0
    SBI     0x4442434e, 0           # print
    mv      a1, s2
    li      a0, 0
    SBI     0x53525354, 0           # shutdown; the reason tells success from failure

    .section .rodata
healthy:   .ascii "V=0 as it was: ok\n"
corrupted: .ascii "V=1: a wrong context\n"
