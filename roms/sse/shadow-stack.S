# Zicfiss: ssp belongs to the interrupted context, and SBI 3.0's injection and completion do not touch it: the handler begins with its victim's
# shadow stack, and what it leaves in ssp its victim goes on with. Whoever runs this injects the event at `between`, when a program in U-mode
# has pushed its return address. `keeps` chooses, before `ready`, what the handler does:
#   0  takes a shadow stack of its own and puts the victim's back: the return address is accepted
#   1  begins with SSPUSH, as a function does: on the victim's shadow stack, which is no page of the kernel's, so it takes a page fault
#   2  leaves another shadow stack of the victim's in ssp, as if it had been scheduled away: the victim's SSPOPCHK is a software check
    .include "lab/sbi.inc"
    .include "sse/event.inc"
    .equ SENVCFG, 0x10a
    .equ ENVCFG_SSE, 1 << 3
    .equ FWFT_SHADOW_STACK, 2
    .equ USER, 0x40000000           # what to add to an address for U-mode's view of it
    .equ SHADOW, 0xc0000000         # for a shadow stack there, the kernel's
    .equ SHADOW_USER, 0x100000000   # the same, the user's

    .section .text.init
    .globl _start, ready
_start:
    la      t0, vector
    csrw    stvec, t0
    csrw    sie, zero
    li      a0, FWFT_SHADOW_STACK
    li      a1, 1
    li      a2, 0
    SBI     EID_FWFT, 0
    bnez    a0, refused
    li      t0, ENVCFG_SSE
    csrs    SENVCFG, t0
    # All memory four times: the kernel's, the user's, and the shadow stacks of both (W without R and X).
    la      t1, root
    li      t0, 0x80000000 >> 2 | 0xcf
    sd      t0, 8*2(t1)
    ori     t0, t0, 0x10
    sd      t0, 8*3(t1)
    li      t0, 0x80000000 >> 2 | 0xc5
    sd      t0, 8*5(t1)
    ori     t0, t0, 0x10
    sd      t0, 8*6(t1)
    srli    t1, t1, 12
    li      t0, 8 << 60             # Sv39
    or      t0, t0, t1
    csrw    satp, t0
    sfence.vma
ready:
    la      a1, handler
    ARM_EVENT EVENT_LOCAL_SOFTWARE, refused
    la      t0, user_shadow
    li      t1, SHADOW_USER
    add     t0, t0, t1
    csrw    SSP, t0
    la      t0, user
    li      t1, USER
    add     t0, t0, t1
    csrw    sepc, t0
    li      t0, SSTATUS_SPP
    csrc    sstatus, t0
    sret

user:
    jal     ra, function
    ecall                           # it has returned
function:
    .word   0xce104073              # sspush ra
    .globl  between
between:
    nop
    .globl  pop
pop:
    .word   0xcdc0c073              # sspopchk ra
    ret

    .balign 4
    .globl  handler
handler:
    la      t4, handled
    li      t5, 1
    sw      t5, 0(t4)
    lw      t4, keeps
    li      t5, 1
    beq     t4, t5, uses
    li      t5, 2
    beq     t4, t5, loses
    la      t0, kernel_shadow
    li      t1, SHADOW
    add     t0, t0, t1
    csrrw   s0, SSP, t0
    jal     ra, keeper
    csrw    SSP, s0
    la      ra, user + 4
    li      t0, USER
    add     ra, ra, t0
    j       complete
loses:
    csrr    t0, SSP
    addi    t0, t0, -64
    csrw    SSP, t0
    j       complete
keeper:
    .word   0xce104073              # sspush ra
    nop
    .word   0xcdc0c073              # sspopchk ra
    ret
    .globl  uses
uses:
    .word   0xce104073              # sspush ra
complete:
    SBI     EID_SSE, SSE_COMPLETE
refused:
    la      a0, text_refused
bad:
    PUTS
    li      a1, 1
    j       off

    .balign 4
vector:
    csrr    t3, scause
    csrr    t5, sepc
    la      a0, text_never
    lw      t4, handled
    beqz    t4, bad
    li      t4, 8                   # ecall from U-mode
    la      a0, text_accepted
    beq     t3, t4, good
    li      t4, 15                  # store or AMO page fault
    la      t6, uses
    la      a0, text_fault
    bne     t3, t4, 1f
    beq     t5, t6, good
1:  li      t4, 18                  # software check
    la      a0, text_other
    bne     t3, t4, bad
    csrr    t3, stval
    li      t4, 3                   # a shadow stack that disagrees
    bne     t3, t4, bad
    la      t6, pop
    li      t4, USER
    add     t6, t6, t4
    bne     t5, t6, bad
    la      a0, text_refuses
good:
    PUTS
    li      a1, 0
off:
    li      a0, 0
    SBI     EID_SRST, 0

    .section .rodata
text_accepted: .asciz "the return address is accepted\n"
text_fault:    .asciz "the handler's own SSPUSH is a page fault on its victim's shadow stack\n"
text_refuses:  .asciz "the return address is refused: a software check\n"
text_never:    .asciz "no event came\n"
text_other:    .asciz "another trap\n"
text_refused:  .asciz "the firmware refused\n"

    .data
    .balign 8
    .globl keeps
keeps:   .word 0
handled: .word 0
    .space 256
kernel_shadow:
    .space 256
user_shadow:
    .balign 4096
root:    .space 4096
