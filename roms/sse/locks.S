# A software event's handler wants a lock. Its victim holds it, one hart and one lock, no interrupt to be disabled: the lock is never free
# again, unless the handler knows that it may not wait. Functions have frames, so that the stack of the hart leads from the handler into
# its victim, who is the owner.
#
# `policy` chooses, before `ready`:
#   0  the handler waits for the lock that its victim holds: a deadlock
#   1  it tries, and goes without: healthy
#   2  it waits for a lock that another hart holds, which lets it go: healthy (needs two harts)
    .include "lab/sbi.inc"
    .include "sse/event.inc"

    .macro ENTER
    addi    sp, sp, -16
    sd      ra, 8(sp)
    sd      s0, 0(sp)
    addi    s0, sp, 16
    .endm
    .macro LEAVE
    ld      ra, 8(sp)
    ld      s0, 0(sp)
    addi    sp, sp, 16
    ret
    .endm

    .section .text.init
    .globl _start
_start:
    la      sp, stack_top
    li      s0, 0                   # the last frame
    la      t0, hart_id
    sd      a0, 0(t0)
    csrw    sie, zero
    la      t0, panic
    csrw    stvec, t0
    la      a1, handler_entry
    li      a2, 0
    ARM_EVENT EVENT_LOCAL_SOFTWARE, panic
    .globl ready
ready:
    lw      t0, policy
    li      t1, 2
    bne     t0, t1, 1f
    ld      a0, hart_id
    xori    a0, a0, 1
    la      a1, other_hart
    SBI     EID_HSM, 0
    bnez    a0, panic
0:  lw      t0, lock                # until the other hart has it
    beqz    t0, 0b
    call    inject                  # in the middle of nothing
    j       2f
1:  call    outer
2:  la      a0, text_healthy
    lw      t0, handled
    bnez    t0, 3f
    la      a0, text_never
3:  PUTS
    li      a0, 0
    li      a1, 0
    SBI     EID_SRST, 0

    .globl outer, inner, inject, take, handler, spin
outer:
    ENTER
    call    inner
    LEAVE
inner:                              # holds the lock while the event comes
    ENTER
    call    take
    call    inject
    la      t0, lock
    amoswap.w.rl zero, zero, (t0)
    LEAVE
inject:
    ENTER
    li      a0, EVENT_LOCAL_SOFTWARE
    ld      a1, hart_id
    SBI     EID_SSE, SSE_INJECT
    LEAVE

take:                               # waits for as long as it takes
    ENTER
    la      t0, lock
    ld      t1, hart_id
    addi    t1, t1, 1
spin:
    lw      t2, (t0)
    bnez    t2, spin
    amoswap.w.aq t2, t1, (t0)
    bnez    t2, spin
    LEAVE

# The handler's frame returns to the interrupted pc, as a debugger expects it. It runs on its victim's stack.
    .balign 4
handler_entry:
    addi    sp, sp, -288
    sd      t0, 0(sp)
    csrr    t0, sepc
    sd      t0, 280(sp)
    sd      s0, 272(sp)
    addi    s0, sp, 288
    sd      ra, 8(sp)
    sd      t1, 16(sp)
    sd      t2, 24(sp)
    call    handler
    ld      t2, 24(sp)
    ld      t1, 16(sp)
    ld      ra, 8(sp)
    ld      s0, 272(sp)
    ld      t0, 0(sp)
    addi    sp, sp, 288
    SBI     EID_SSE, SSE_COMPLETE
    j       panic
handler:
    ENTER
    lw      t0, policy
    li      t1, 1
    beq     t0, t1, 1f
    call    take
    j       2f
1:  lw      t0, lock                # held: go without
    beqz    t0, panic
    j       3f
2:  la      t0, lock
    amoswap.w.rl zero, zero, (t0)
3:  la      t0, handled
    li      t1, 1
    sw      t1, (t0)
    LEAVE

other_hart:
    la      t0, lock
    addi    t1, a0, 1
    amoswap.w.aq zero, t1, (t0)
    li      t1, 100000
1:  addi    t1, t1, -1
    bnez    t1, 1b
    amoswap.w.rl zero, zero, (t0)
2:  wfi
    j       2b

    .balign 4
    .globl panic
panic:
    la      a0, text_panic
    PUTS
    li      a0, 0
    li      a1, 1
    SBI     EID_SRST, 0

    .section .rodata
text_healthy: .asciz "locks: healthy\n"
text_never:   .asciz "locks: the event never came\n"
text_panic:   .asciz "locks: panic\n"

    .data
    .balign 8
    .globl policy, lock
hart_id: .dword 0
policy:  .word 0
lock:    .word 0                    # the owner's hart id plus one
handled: .word 0
    .balign 16
    .space 4096
stack_top:
