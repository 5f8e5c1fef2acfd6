# sbi_send_ipi from one hart to another and its receipt, back and forth: each waits (wfi) until the other's has come. Started by firmware.
    .include "bench/sbi.inc"
    .section .text.init
    .globl _start
_start:
    mv      s2, a0                  # the boot hart's id: 0 or 1
    xori    s1, s2, 1               # the other's
    csrwi   sie, 2                  # SSIE, with sstatus.SIE off: wakes, and is not taken
    li      a7, 0x48534d            # HSM
    li      a6, 0                   # hart_start
    mv      a0, s1
    la      a1, other
    mv      a2, s2
    ecall
    bnez    a0, 9f
    call    receive                 # it runs: before, an IPI would be lost
    li      s0, 500000
1:  call    send
    call    receive
    addi    s0, s0, -1
    bnez    s0, 1b
9:  mv      a1, a0                  # reason: an error is a failure
    snez    a1, a1
    END_BY_RESET

# The other hart: a1 is where answers go.
other:
    mv      s1, a1
    csrwi   sie, 2
    call    send
3:  call    receive
    call    send
    j       3b

# To hart s1. a0 is 0.
send:
    li      a7, 0x735049            # sPI
    li      a6, 0                   # send_ipi
    li      a0, 1
    mv      a1, s1
    ecall
    ret

# Waits for sip.SSIP and clears it.
receive:
    csrr    t0, sip
    andi    t0, t0, 2
    bnez    t0, 4f
    wfi
    j       receive
4:  csrci   sip, 2
    ret
