# Orders in which two software events, local and global, are delivered: priorities, nesting, signals while the event runs, one-shot, another
# hart, and a hart that stops and starts with an event alive. A line a case: its name, then L and G where a handler begins, l and g where it
# ends (upper case: begin), then STATUS of both events. Needs two harts; hart 1's handler writes 1 for G and ! for g.
    .include "lab/sbi.inc"
    .equ SSE_READ_ATTRS, 0
    .equ SSE_WRITE_ATTRS, 1
    .equ SSE_UNREGISTER, 3
    .equ SSE_DISABLE, 5
    .equ SSE_MASK, 9
    .equ EVENT_GLOBAL_SOFTWARE, 0xffff8000
    .equ ATTR_STATUS, 0
    .equ ATTR_PRIORITY, 1
    .equ ATTR_CONFIG, 2
    .equ ATTR_PREFERRED_HART, 3

# An event's record, its handler's argument.
    .equ R_EVENT, 0
    .equ R_BEGIN, 8                 # letters
    .equ R_END, 16
    .equ R_ACTION, 24               # what the handler injects, once: 0 nothing, else a record
    .equ R_RUNS, 32                 # times it has run
    .equ R_SAVE, 40                 # registers

# A case: priorities, configuration, what the handlers inject, what is injected while the hart is masked (1 local, 2 global, 4 global first).
.macro CASE name, pl, pg, config, al, ag, first
    .section .rodata
91: .asciz "\name"
    .section .rodata.cases
    .balign 8
    .dword 91b, \pl, \pg, \config, \al, \ag, \first
.endm
    .equ CASE_BYTES, 56

    .section .text.init
    .globl _start
_start:
    mv      s0, a0
    la      t0, trap
    csrw    stvec, t0
    csrw    sie, zero
    xori    s11, s0, 1              # the other hart
    la      s1, cases
next:
    la      t0, cases_end
    bgeu    s1, t0, other_hart
    ld      a0, 0(s1)
    PUTS
    SBI     EID_SSE, SSE_MASK       # masked already, after boot
    la      s2, local
    ld      s4, 8(s1)
    jal     prepare
    ld      t0, 32(s1)
    sd      t0, R_ACTION(s2)
    la      s2, global
    ld      s4, 16(s1)
    jal     prepare
    ld      t0, 40(s1)
    sd      t0, R_ACTION(s2)
    ld      s3, 48(s1)
    andi    t0, s3, 1
    beqz    t0, 1f
    la      s2, local
    jal     inject
1:  andi    t0, s3, 2
    beqz    t0, 2f
    la      s2, global
    jal     inject
2:  SBI     EID_SSE, SSE_UNMASK
    jal     states
    la      s2, local
    jal     forget
    la      s2, global
    jal     forget
    addi    s1, s1, CASE_BYTES
    j       next

# Registers and enables s2's event with priority s4 and the case's configuration.
prepare:
    mv      s10, ra
    sd      zero, R_RUNS(s2)
    ld      a0, R_EVENT(s2)
    la      a1, handler
    mv      a2, s2
    SBI     EID_SSE, SSE_REGISTER
    bnez    a0, refused
    mv      t2, s4
    li      a1, ATTR_PRIORITY
    jal     set
    ld      t2, 24(s1)
    li      a1, ATTR_CONFIG
    jal     set
    la      t0, global
    bne     s2, t0, 1f
    mv      t2, s0
    li      a1, ATTR_PREFERRED_HART
    jal     set
1:  ld      a0, R_EVENT(s2)
    SBI     EID_SSE, SSE_ENABLE
    bnez    a0, refused
    jr      s10

# Writes t2 to attribute a1 of s2's event.
set:
    la      a3, buffer
    sd      t2, 0(a3)
    ld      a0, R_EVENT(s2)
    li      a2, 1
    li      a4, 0
    SBI     EID_SSE, SSE_WRITE_ATTRS
    bnez    a0, refused
    ret

inject:
    ld      a0, R_EVENT(s2)
    mv      a1, s0
    SBI     EID_SSE, SSE_INJECT
    bnez    a0, refused
    ret

# Prints the low hexadecimal digit of STATUS of both events, and ends the line.
states:
    mv      s10, ra
    la      s2, local
    jal     state
    la      s2, global
    jal     state
    li      a0, '\n'
    li      a7, 1
    ecall
    jr      s10
state:
    ld      a0, R_EVENT(s2)
    li      a1, ATTR_STATUS
    li      a2, 1
    la      a3, buffer
    li      a4, 0
    SBI     EID_SSE, SSE_READ_ATTRS
    bnez    a0, refused
    li      a0, ' '
    li      a7, 1
    ecall
    la      t0, buffer
    ld      t0, 0(t0)
    andi    t0, t0, 15
    la      t1, digits
    add     t0, t0, t1
    lbu     a0, 0(t0)
    li      a7, 1
    ecall
    ret

# Disables and unregisters, whatever state the case left.
forget:
    ld      a0, R_EVENT(s2)
    SBI     EID_SSE, SSE_DISABLE
    ld      a0, R_EVENT(s2)
    SBI     EID_SSE, SSE_UNREGISTER
    bnez    a0, refused
    ret

# The global event, preferred on the other hart, which this one starts; then that hart's own event while it stops and starts.
other_hart:
    SBI     EID_SSE, SSE_MASK
    la      a0, text_other
    PUTS
    la      s2, global
    sd      zero, R_ACTION(s2)
    li      t0, '1'
    sd      t0, R_BEGIN(s2)
    li      t0, '!'
    sd      t0, R_END(s2)
    ld      a0, R_EVENT(s2)
    la      a1, handler
    mv      a2, s2
    sd      zero, R_RUNS(s2)
    SBI     EID_SSE, SSE_REGISTER
    bnez    a0, refused
    li      t2, 0                   # the last case's configuration outlives its registration
    li      a1, ATTR_CONFIG
    jal     set
    jal     start_other             # an event can only prefer a hart that runs
    mv      t2, s11
    li      a1, ATTR_PREFERRED_HART
    jal     set
    ld      a0, R_EVENT(s2)
    SBI     EID_SSE, SSE_ENABLE
    bnez    a0, refused
    jal     inject
1:  ld      t0, R_RUNS(s2)
    beqz    t0, 1b
2:  ld      a0, R_EVENT(s2)         # until it has completed there
    SBI     EID_SSE, SSE_DISABLE
    bnez    a0, 2b
    la      a0, newline
    PUTS

    la      a0, text_restart
    PUTS
    jal     stop_other
    jal     start_other             # it registered its local event at its first start: see second
    jal     stop_other
    la      a0, newline
    PUTS
    la      a0, text_done
    PUTS
    li      a0, 0
    li      a1, 0
    SBI     EID_SRST, 0

start_other:
    mv      s9, ra
    la      t0, ready
    sw      zero, 0(t0)
    mv      a0, s11
    la      a1, second
    li      a2, 0
    SBI     EID_HSM, 0
    bnez    a0, refused
    la      t1, ready
1:  lw      t0, 0(t1)
    beqz    t0, 1b
    jr      s9

stop_other:
    mv      s9, ra
    la      t0, stop
    li      t1, 1
    sw      t1, 0(t0)
1:  mv      a0, s11
    SBI     EID_HSM, 2              # status until it is stopped
    li      t0, 1
    bne     a1, t0, 1b
    la      t0, stop
    sw      zero, 0(t0)
    jr      s9

# The other hart: the first time registers and enables its local event; later prints what is left of it: STATUS, and what unmask says.
second:
    la      t0, trap
    csrw    stvec, t0
    csrw    sie, zero
    la      s2, second_local
    la      t0, starts
    lw      t1, 0(t0)
    addi    t2, t1, 1
    sw      t2, 0(t0)
    bnez    t1, 1f
    ld      a0, R_EVENT(s2)
    la      a1, handler
    mv      a2, s2
    SBI     EID_SSE, SSE_REGISTER
    bnez    a0, refused
    ld      a0, R_EVENT(s2)
    SBI     EID_SSE, SSE_ENABLE
    bnez    a0, refused
    SBI     EID_SSE, SSE_UNMASK
    j       2f
1:  jal     state
    SBI     EID_SSE, SSE_UNMASK
    la      s3, text_was_masked
    beqz    a0, 3f
    la      s3, text_was_unmasked
3:  mv      a0, s3
    PUTS
2:  la      t0, ready
    li      t1, 1
    fence
    sw      t1, 0(t0)
    la      t1, stop
4:  lw      t0, 0(t1)
    beqz    t0, 4b
    SBI     EID_HSM, 1
    j       refused

# a6 is the hart, a7 the event's record.
handler:
    sd      t6, R_SAVE(a7)
    mv      t6, a7
    sd      a0, R_SAVE+8(t6)
    sd      a1, R_SAVE+16(t6)
    sd      t0, R_SAVE+24(t6)
    csrr    t0, sepc
    sd      t0, R_SAVE+32(t6)
    csrr    t0, sstatus
    sd      t0, R_SAVE+40(t6)
    ld      a0, R_BEGIN(t6)
    li      a7, 1
    ecall
    ld      t0, R_ACTION(t6)
    sd      zero, R_ACTION(t6)
    beqz    t0, 1f
    ld      a0, R_EVENT(t0)
    mv      a1, s0
    SBI     EID_SSE, SSE_INJECT
1:  ld      a0, R_END(t6)
    li      a7, 1
    ecall
    ld      t0, R_RUNS(t6)
    addi    t0, t0, 1
    sd      t0, R_RUNS(t6)
    ld      t0, R_SAVE+40(t6)
    csrw    sstatus, t0
    ld      t0, R_SAVE+32(t6)
    csrw    sepc, t0
    ld      t0, R_SAVE+24(t6)
    ld      a1, R_SAVE+16(t6)
    ld      a0, R_SAVE+8(t6)
    ld      t6, R_SAVE(t6)
    li      a7, EID_SSE
    li      a6, SSE_COMPLETE
    ecall
    .balign 4
trap:
refused:
    la      a0, text_refused
    PUTS
    li      a0, 0
    li      a1, 1
    SBI     EID_SRST, 0

    .section .rodata
digits:            .ascii "0123456789abcdef"
newline:           .asciz "\n"
text_other:        .asciz "on the other hart: "
text_restart:      .asciz "after a stop and a start:"
text_was_masked:   .asciz " masked"
text_was_unmasked: .asciz " unmasked"
text_done:         .asciz "done\n"
text_refused:      .asciz "refused or trapped\n"
    .section .rodata.cases
    .balign 8
cases:
    CASE "both pending, equal: ", 0, 0, 0, 0, 0, 3
    CASE "both pending, local first: ", 1, 2, 0, 0, 0, 3
    CASE "both pending, global first: ", 2, 1, 0, 0, 0, 3
    CASE "a higher one preempts: ", 2, 1, 0, global, 0, 1
    CASE "a lower one waits: ", 1, 2, 0, global, 0, 1
    CASE "an equal one with a higher number waits: ", 1, 1, 0, global, 0, 1
    CASE "an equal one with a lower number: ", 1, 1, 0, 0, local, 2
    CASE "a signal while it runs: ", 0, 0, 0, local, 0, 1
    CASE "one-shot: ", 0, 0, 1, 0, 0, 1
    CASE "a signal while a one-shot event runs: ", 0, 0, 1, local, 0, 1
cases_end:

    .data
    .balign 8
buffer:       .dword 0
local:        .dword EVENT_LOCAL_SOFTWARE, 'L', 'l', 0, 0
              .space 64
global:       .dword EVENT_GLOBAL_SOFTWARE, 'G', 'g', 0, 0
              .space 64
second_local: .dword EVENT_LOCAL_SOFTWARE, '2', '"', 0, 0
              .space 64
ready:        .word 0
stop:         .word 0
starts:       .word 0
