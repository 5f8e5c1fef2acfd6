# What `perf top` does to a kernel: a cycle counter of each hart overflows again and again, each overflow is a software event (PMU, 0x10000)
# wherever the hart is, and its handler records where. The harts run a user program with system calls and page faults, a lock that all of
# them want, and a guest in VU- and VS-mode. At the end: samples, those that were lost, how late they came, and in which mode.
#
# Words that choose, before `ready`:
#   period   cycles between overflows: with 1,000,000,000 in a second 10,000 is 100 kHz, 1,000,000,000 is 1 Hz
#   phase    how much earlier the first one comes
#   harts    1 to 4, with ids from 0
#   rounds   of the work
#   masked   turns of an empty loop with events masked, in each round: overflows are late then, and lost if they are later than a period
#
# A kernel that sets hstatus.SPV before it enters its guest is what firmware with bug 1b brings down, at some phases and not at others.
    .include "lab/sbi.inc"
    .include "sse/event.inc"
    .equ EID_PMU, 0x504d55
    .equ PMU_CONFIG_MATCHING, 2
    .equ PMU_START, 3
    .equ PMU_STOP, 4
    .equ SSE_MASK, 9
    .equ EVENT_PMU_OVERFLOW, 0x10000
    .equ SCOUNTOVF, 0xda0
    .equ HPMCOUNTER3, 0xc03
    .equ USER, 0x40000000           # what to add to an address for U-mode
    .equ LAZY, 0x100000000          # pages that are mapped when they are touched, one a hart
    .equ RING, 64                   # samples that are kept
    .equ CHAIN, 4                   # callers of each

# The hart's block.
    .equ B_ID, 0
    .equ B_SAMPLES, 8
    .equ B_LOST, 16
    .equ B_LATEST, 24
    .equ B_LATE, 32
    .equ B_MODES, 40                # U, HS, VU, VS
    .equ B_SPURIOUS, 72
    .equ B_KERNEL, 80               # ra, sp, s0-s11 while the hart is elsewhere
    .equ B_FRAME, 192               # what the handler uses
    .equ B_SIZE, 256

    .section .text.init
    .globl _start
_start:
    .globl ready
ready:
    mv      s1, a0
    la      t0, boot_id
    sd      a0, 0(t0)
    la      t4, root                # tables: a gigapage for the kernel, the same for the user, lazy pages
    li      t0, 0xcf
    li      t1, 0x80000000 >> 2
    or      t2, t0, t1
    sd      t2, 8*2(t4)
    ori     t2, t2, 0x10
    sd      t2, 8*3(t4)
    la      t1, lazy1
    srli    t1, t1, 2
    ori     t1, t1, 1
    sd      t1, 8*4(t4)
    la      t2, lazy0
    srli    t2, t2, 2
    ori     t2, t2, 1
    la      t4, lazy1
    sd      t2, 0(t4)
    li      s2, 0                   # start the others
    lw      s3, harts
1:  bgeu    s2, s3, hart
    beq     s2, s1, 2f
    mv      a0, s2
    la      a1, other
    li      a2, 0
    SBI     EID_HSM, 0
    bnez    a0, refused
2:  addi    s2, s2, 1
    j       1b
other:
    mv      s1, a0

hart:                               # s1 is its id
    la      tp, blocks
    slli    t0, s1, 8
    add     tp, tp, t0
    sd      s1, B_ID(tp)
    la      sp, stacks
    addi    t1, s1, 1
    slli    t1, t1, 12
    add     sp, sp, t1
    li      s0, 0
    la      t0, root
    srli    t0, t0, 12
    li      t1, 8 << 60
    or      t0, t0, t1
    sfence.vma
    csrw    satp, t0
    sfence.vma
    la      t0, vector
    csrw    stvec, t0
    csrw    sscratch, zero
    csrw    sie, zero
    csrw    HGATP, zero             # the guest sees memory as it is
    csrw    VSATP, zero
    csrw    HEDELEG, zero
    csrw    HIDELEG, zero
    la      a1, handler
    mv      a2, tp
    ARM_EVENT EVENT_PMU_OVERFLOW, refused
    li      a0, 3                   # hpmcounter3 and no other
    li      a1, 1
    li      a2, 2                   # CLEAR_VALUE
    li      a3, 1                   # cycles
    li      a4, 0
    SBI     EID_PMU, PMU_CONFIG_MATCHING
    bnez    a0, refused
    ld      a3, period
    ld      t0, phase
    sub     a3, t0, a3
    call    start_counter
    bnez    a0, refused
    lw      s11, rounds
    .globl work
work:
    call    user_part
    call    system_call
    li      a0, HSTATUS_SPV         # VU: SPP is 0
    li      a1, 0
    la      a2, guest
    call    enter
    li      a0, HSTATUS_SPV | HSTATUS_SPVP
    li      a1, SSTATUS_SPP
    la      a2, guest
    call    enter
    lw      s2, masked
    beqz    s2, 2f
    SBI     EID_SSE, SSE_MASK
1:  addi    s2, s2, -1
    bnez    s2, 1b
    SBI     EID_SSE, SSE_UNMASK
2:  addi    s11, s11, -1
    bnez    s11, work
    li      a0, 3
    li      a1, 1
    li      a2, 0
    SBI     EID_PMU, PMU_STOP
    la      t0, done
    li      t1, 1
    amoadd.w.aqrl zero, t1, (t0)
    ld      t0, boot_id
    bne     s1, t0, 4f
3:  lw      t0, done
    lw      t1, harts
    bne     t0, t1, 3b
    j       report
4:  wfi
    j       4b

# Starts the counter at a3.
start_counter:
    li      a0, 3
    li      a1, 1
    li      a2, 1                   # SET_INIT_VALUE
    SBI     EID_PMU, PMU_START
    ret

    .globl user_part, system_call, critical
user_part:                          # the page is gone, the user touches it
    addi    sp, sp, -16
    sd      ra, 8(sp)
    sd      s0, 0(sp)
    addi    s0, sp, 16
    la      t0, lazy0
    slli    t1, s1, 3
    add     t0, t0, t1
    sd      zero, 0(t0)
    sfence.vma
    li      a0, 0
    li      a1, 0
    la      a2, user
    li      t0, USER
    add     a2, a2, t0
    call    enter
    ld      ra, 8(sp)
    ld      s0, 0(sp)
    addi    sp, sp, 16
    ret
system_call:
    addi    sp, sp, -16
    sd      ra, 8(sp)
    sd      s0, 0(sp)
    addi    s0, sp, 16
    call    critical
    ld      ra, 8(sp)
    ld      s0, 0(sp)
    addi    sp, sp, 16
    ret
critical:                           # what all harts want at once
    addi    sp, sp, -16
    sd      ra, 8(sp)
    sd      s0, 0(sp)
    addi    s0, sp, 16
    la      t0, lock
    li      t1, 1
1:  amoswap.w.aq t2, t1, (t0)
    bnez    t2, 1b
    ld      t1, shared
    addi    t1, t1, 1
    la      t2, shared
    sd      t1, 0(t2)
    li      t2, 20
2:  addi    t2, t2, -1
    bnez    t2, 2b
    amoswap.w.rl zero, zero, (t0)
    ld      ra, 8(sp)
    ld      s0, 0(sp)
    addi    sp, sp, 16
    ret

# Lets a0 (hstatus bits), a1 (SPP), a2 (pc) run until it makes an environment call.
    .globl enter, before_guest, vector
enter:
    sd      ra, B_KERNEL(tp)
    sd      sp, B_KERNEL+8(tp)
    sd      s0, B_KERNEL+16(tp)
    sd      s1, B_KERNEL+24(tp)
    sd      s11, B_KERNEL+32(tp)
    li      t0, SSTATUS_SPP | SSTATUS_SPIE
    csrc    sstatus, t0
    csrs    sstatus, a1
    csrs    HSTATUS, a0             # from here to sret SPV may be 1 with V = 0
before_guest:
    csrw    sscratch, tp
    csrw    sepc, a2
    sret

# The user and the guest keep nothing in t3 to t6.
    .balign 4
vector:
    csrrw   tp, sscratch, tp
    beqz    tp, panic               # the kernel itself never traps
    csrr    t3, scause
    li      t4, 13                  # load page fault
    bne     t3, t4, 1f
    la      t5, lazy0
    ld      t6, B_ID(tp)
    slli    t6, t6, 3
    add     t5, t5, t6
    la      t4, lazy_page
    srli    t4, t4, 2
    ori     t4, t4, 0xd7
    sd      t4, 0(t5)
    sfence.vma
    csrrw   tp, sscratch, tp
    sret
1:  csrw    sscratch, zero
    li      t4, 8                   # from U or VU
    beq     t3, t4, 2f
    li      t4, 10                  # from VS
    bne     t3, t4, panic
2:  li      t4, HSTATUS_SPV | HSTATUS_SPVP
    csrc    HSTATUS, t4
    ld      ra, B_KERNEL(tp)
    ld      sp, B_KERNEL+8(tp)
    ld      s0, B_KERNEL+16(tp)
    ld      s1, B_KERNEL+24(tp)
    ld      s11, B_KERNEL+32(tp)
    ret

    .globl user, guest
user:
    li      t0, 40
1:  addi    t0, t0, -1
    bnez    t0, 1b
    li      t1, LAZY
    slli    t2, s1, 12              # s1 is still the hart's id
    add     t1, t1, t2
    ld      t2, 0(t1)
    ecall
guest:
    li      t0, 40
1:  addi    t0, t0, -1
    bnez    t0, 1b
    ecall

    .include "sse/perf-top.inc"

    .data
    .balign 8
    .globl period, phase, harts, rounds, masked, blocks, ring
period:     .dword 10000
phase:      .dword 0
harts:      .word 1
rounds:     .word 500
masked:     .word 0
lock:       .word 0
done:       .word 0
    .balign 8
boot_id:    .dword 0
shared:     .dword 0
taken:      .dword 0
    .balign 256
blocks:     .space 4 * B_SIZE
ring:       .space RING * 8 * (CHAIN + 2)
    .balign 4096
root:       .space 4096
lazy1:      .space 4096
lazy0:      .space 4096
lazy_page:  .space 4096
stacks:     .space 4 * 4096
