# What of the handler's sstatus gets out when a software event comes in the first instructions of a system call, where SPP = 0, SPIE = 1
# and SIE = 0 are the user's. Four handlers in turn, a line of outcome each:
#   0 does nothing                                              must be healthy
#   1 takes a breakpoint and restores sepc, scause and sstatus  must be healthy
#   2 takes a breakpoint and does not restore sstatus           SPP leaks out of the handler downwards: the kernel's pc goes on in U-mode
#   3 writes its own SPP to INTERRUPTED_FLAGS                   SPP leaks out upwards: a system call that seems to come from the kernel,
#                                                               which is Linux's "environment call from U-mode" panic
# SBI 3.0 lets firmware do 2 and 3: the handler has asked for them. Firmware that keeps the interrupted SIE, SPIE and SPP to itself mends 3,
# but not 2 as long as it takes the mode to go back to from the handler's SPP.
    .include "lab/sbi.inc"
    .include "sse/event.inc"
    .equ SSE_WRITE_ATTRS, 1
    .equ ATTR_FLAGS, 7

    .section .text.init
    .globl _start
_start:
    mv      s0, a0                  # hart id
    li      s8, 0                   # the handler's number
    la      t0, vector
    csrw    stvec, t0
    csrw    sie, zero
    la      a1, handler
    ARM_EVENT EVENT_LOCAL_SOFTWARE, refused

next:
    li      s9, 0                   # 0 the user runs, 1 the kernel, 2 the handler
    la      t0, user
    csrw    sepc, t0
    li      t0, SSTATUS_SPP
    csrc    sstatus, t0
    li      t0, SSTATUS_SPIE
    csrs    sstatus, t0
    sret
user:
    ecall
    j       user

    .balign 4
vector:
    li      t1, 2
    beq     s9, t1, nested
    bnez    s9, in_user_mode
    li      s9, 1
    li      a0, EVENT_LOCAL_SOFTWARE
    mv      a1, s0
    SBI     EID_SSE, SSE_INJECT     # the handler runs before the next instruction
    .globl  after
after:
    csrr    t0, sstatus             # an illegal instruction in U-mode
    la      a0, text_upwards
    andi    t1, t0, SSTATUS_SPP
    bnez    t1, told
    la      a0, text_interrupts
    andi    t1, t0, SSTATUS_SIE
    bnez    t1, told
    la      a0, text_spie
    andi    t1, t0, SSTATUS_SPIE
    beqz    t1, told
    la      a0, text_scause
    csrr    t0, scause
    li      t1, 8
    bne     t0, t1, told
    la      a0, text_healthy
    j       told
in_user_mode:
    la      a0, text_downwards
told:
    mv      s1, a0
    addi    a0, s8, '0'
    li      a7, 1
    ecall
    mv      a0, s1
    PUTS
    addi    s8, s8, 1
    li      t0, 4
    bltu    s8, t0, next
    li      a0, 0
    li      a1, 0
    SBI     EID_SRST, 0

# A breakpoint in the handler.
nested:
    csrr    t0, sepc
    addi    t0, t0, 4
    csrw    sepc, t0
    sret

handler:
    li      s9, 2
    csrr    s2, sepc
    csrr    s3, scause
    csrr    s4, sstatus
    beqz    s8, complete
    li      t0, 3
    beq     s8, t0, write_flags
    ebreak
    li      t0, 1
    bne     s8, t0, complete
    csrw    sstatus, s4
    j       complete
write_flags:
    la      t1, flags
    andi    t0, s4, SSTATUS_SPP
    snez    t0, t0                  # INTERRUPTED_FLAGS: bit 0 is SPP, bit 1 SPIE
    ori     t0, t0, 2
    sd      t0, 0(t1)
    li      a0, EVENT_LOCAL_SOFTWARE
    li      a1, ATTR_FLAGS
    li      a2, 1
    mv      a3, t1
    li      a4, 0
    SBI     EID_SSE, SSE_WRITE_ATTRS
    bnez    a0, refused
complete:
    csrw    sepc, s2
    csrw    scause, s3
    li      s9, 1
    SBI     EID_SSE, SSE_COMPLETE
refused:
    la      a0, text_refused
    PUTS
    li      a0, 0
    li      a1, 1
    SBI     EID_SRST, 0

    .section .rodata
text_healthy:    .asciz ": healthy\n"
text_downwards:  .asciz ": the kernel's pc went on in U-mode\n"
text_upwards:    .asciz ": SPP = 1 in a system call\n"
text_interrupts: .asciz ": SIE = 1 in a system call\n"
text_spie:       .asciz ": SPIE = 0 in a system call\n"
text_scause:     .asciz ": scause was lost\n"
text_refused:    .asciz "the firmware refused\n"

    .data
    .balign 8
flags: .dword 0
