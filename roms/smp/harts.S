# Every hart started by HSM, an IPI to each, and each one's answer. In S-mode, on any number of harts with any ids.
# The table at TABLE, which whoever loads this writes: number of harts, then each one's id, that of the boot hart first.
# Ends with a shutdown without a reason, or with the reason "system failure".
.equ TABLE, 0x80300000
.equ EID_IPI, 0x735049
.equ EID_RFENCE, 0x52464e43
.equ EID_HSM, 0x48534d
.equ EID_SRST, 0x53525354
.equ SSI, 2

.macro sbi eid, fid
        li      a7, \eid
        li      a6, \fid
        ecall
.endm

        .globl _start
_start:
        li      s0, TABLE
        ld      s1, 0(s0)               # harts
        la      s2, counters
        csrwi   sie, SSI
        # The id that the firmware hands over is the first of the table.
        ld      t0, 8(s0)
        bne     t0, a0, fail

        li      s3, 1                   # start all others
1:      bgeu    s3, s1, 2f
        slli    t0, s3, 3
        add     t0, t0, s0
        ld      a0, 8(t0)
        la      a1, other
        mv      a2, s3                  # opaque: its index
        sbi     EID_HSM, 0
        bnez    a0, fail
        addi    s3, s3, 1
        j       1b

2:      addi    t1, s1, -1              # until all have counted themselves
3:      ld      t0, 0(s2)
        bne     t0, t1, 3b

        li      s3, 1                   # an IPI to each by itself, with its id as the mask's base
4:      bgeu    s3, s1, 5f
        slli    t0, s3, 3
        add     t0, t0, s0
        li      a0, 1
        ld      a1, 8(t0)
        sbi     EID_IPI, 0
        bnez    a0, fail
        addi    s3, s3, 1
        j       4b
5:      addi    t1, s1, -1
6:      ld      t0, 8(s2)
        bne     t0, t1, 6b

        li      a0, 0                   # and one to all of them at once, the sender among them
        li      a1, -1
        sbi     EID_IPI, 0
        bnez    a0, fail
7:      ld      t0, 8(s2)
        slli    t1, s1, 1
        addi    t1, t1, -2
        bne     t0, t1, 7b
        csrr    t0, sip
        andi    t0, t0, SSI
        beqz    t0, fail

        li      a0, 0                   # a remote fence on all
        li      a1, -1
        li      a2, 0
        li      a3, -1
        sbi     EID_RFENCE, 1
        bnez    a0, fail
        li      a0, 0                   # shutdown
        li      a1, 0
        sbi     EID_SRST, 0
fail:
        li      a0, 0
        li      a1, 1                   # system failure
        sbi     EID_SRST, 0
        j       fail

other:                                  # a0 its id, a1 its index
        li      s0, TABLE
        slli    t0, a1, 3
        add     t0, t0, s0
        ld      t0, 8(t0)
        bne     t0, a0, fail
        la      s2, counters
        csrwi   sie, SSI
        li      t0, 1
        amoadd.d zero, t0, (s2)
1:      wfi
        csrr    t0, sip
        andi    t0, t0, SSI
        beqz    t0, 1b
        csrci   sip, SSI
        addi    t1, s2, 8
        li      t0, 1
        amoadd.d zero, t0, (t1)
        j       1b

        .data
        .balign 8
counters:
        .dword  0                       # started
        .dword  0                       # answered
