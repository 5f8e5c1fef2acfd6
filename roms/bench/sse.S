# A software event injected into this very hart, and its completion by a handler that does nothing else. Started by firmware.
    .include "bench/sbi.inc"
    .section .text.init
    .globl _start
_start:
    mv      s2, a0
    li      s3, 0xffff0000          # the local software event
    li      a7, 0x535345            # SSE
    li      a6, 2                   # register
    mv      a0, s3
    la      a1, handler
    li      a2, 0
    ecall
    bnez    a0, 9f
    li      a6, 4                   # enable
    mv      a0, s3
    ecall
    bnez    a0, 9f
    li      a6, 8                   # hart_unmask
    ecall
    bnez    a0, 9f
    li      s0, 500000
1:  li      a6, 7                   # inject
    mv      a0, s3
    mv      a1, s2
    ecall
    bnez    a0, 9f
    addi    s0, s0, -1
    bnez    s0, 1b
9:  snez    a1, a0                  # reason: an error is a failure
    END_BY_RESET

handler:
    addi    s1, s1, 1
    li      a7, 0x535345
    li      a6, 6                   # complete
    ecall
    j       handler
