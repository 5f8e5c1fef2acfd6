# Writes a fresh function, makes it visible with fence.i and calls it: what building and dropping decoded code costs.
    .include "bench/bench.inc"
BENCH
    li      s0, 20000
    la      s1, page
    la      s2, template
1:  mv      t0, s1
    mv      t1, s2
    li      t2, 70
2:  ld      t3, 0(t1)
    sd      t3, 0(t0)
    addi    t0, t0, 8
    addi    t1, t1, 8
    addi    t2, t2, -1
    bnez    t2, 2b
    fence.i
    jalr    s1
    addi    s0, s0, -1
    bnez    s0, 1b
    POWER_OFF
    .section .rodata
    .balign 8
template:
    .rept 15
    addi    a0, a0, 1
    xori    a0, a0, 3
    slli    a1, a0, 2
    add     a0, a0, a1
    sltu    a2, a1, a0
    sub     a0, a0, a2
    srli    a3, a0, 5
    beqz    zero, 3f
    nop
3:
    .endr
    ret
    .balign 8
    .bss
    .balign 4096
page: .zero 4096
