# A guest in VS-mode, under a monitor in HS-mode, loads from a poisoned line. Firmware takes the hardware error first and tells the monitor of
# it by the local high-priority RAS event, while V = 1. The monitor's handler does what `ras=` on the kernel's command line says:
#   leave      nothing (the default): the event is one-shot, so the guest's next try raises a hardware-error exception, which is the guest's own
#   repair     zeroes the line, as a fresh page would: the guest's next try reads zeros
#   kill       marks the guest as dead and raises a software interrupt, which is taken before the guest executes anything more
#   elsewhere  has the hart go on in the monitor: sepc, SPP = 1 and SPV = 0, as SBI 3.0 lets it
# The other three RAS events only count. Each event prints a line, and the end another; the code is 0 if all was as it must be.
#
# Whoever runs this poisons the line at `poisoned`, or logs errors, when the guest is at `guest_load`. Needs an error bank (--ras).
    .include "lab/sbi.inc"
    .equ SSE_WRITE_ATTRS, 1
    .equ ATTR_CONFIG, 2
    .equ ONESHOT, 1
    .equ HARDWARE_ERROR, 19
    .equ BANK, 0x10200000           # RERI; record 1 is the hart's
    .equ RECORD, BANK + 64 + 64
    .equ CONTROL, 0
    .equ STATUS, 8
    .equ ADDR_INFO, 16
    .equ SINV, 1 << 48
# A descriptor of an event: what its handler finds in a7.
    .equ D_EVENT, 0
    .equ D_TEXT, 8
    .equ D_SAVED, 16

    .section .text.init
    .globl _start
_start:
    la      sp, stack_top
    la      t0, vector
    csrw    stvec, t0
    li      t0, 2
    csrw    sie, t0                 # SSIE: taken in the guest whatever SIE is

    # What stands behind ras= in the device tree.
    li      s11, 'l'
    lwu     t0, 4(a1)               # its size, big-endian
    li      t2, 0
    li      t3, 4
1:  slli    t2, t2, 8
    andi    t4, t0, 255
    or      t2, t2, t4
    srli    t0, t0, 8
    addi    t3, t3, -1
    bnez    t3, 1b
    li      t1, 0                   # the last four bytes
    li      t4, 0x7261733d          # "ras="
2:  beqz    t2, 3f
    lbu     t0, 0(a1)
    beq     t1, t4, chosen
    slliw   t1, t1, 8
    or      t1, t1, t0
    addi    a1, a1, 1
    addi    t2, t2, -1
    j       2b
chosen:
    mv      s11, t0
3:  la      t0, choice
    sw      s11, 0(t0)

    la      s1, events
    li      s2, 4
register:
    lwu     a0, D_EVENT(s1)
    la      a1, handler
    mv      a2, s1
    SBI     EID_SSE, SSE_REGISTER
    bnez    a0, refused
    lwu     a0, D_EVENT(s1)
    bnez    a0, 1f                  # the local high-priority event is 0
    li      t0, 'l'
    bne     s11, t0, 1f
    li      a1, ATTR_CONFIG
    li      a2, 1
    la      a3, one_shot
    li      a4, 0
    SBI     EID_SSE, SSE_WRITE_ATTRS
    bnez    a0, refused
1:  lwu     a0, D_EVENT(s1)
    SBI     EID_SSE, SSE_ENABLE
    bnez    a0, refused
    addi    s1, s1, D_SAVED + 128
    addi    s2, s2, -1
    bnez    s2, register
    SBI     EID_SSE, SSE_UNMASK
    bnez    a0, refused

    # The guest: its physical addresses are the machine's, its hardware errors its own.
    la      t0, g_stage
    li      t1, 0x80000000 >> 2 | 0xdf
    sd      t1, 8*2(t0)
    srli    t0, t0, 12
    li      t1, 8 << 60             # Sv39x4
    or      t0, t0, t1
    csrw    HGATP, t0
    .insn   r 0x73, 0, 0x31, x0, x0, x0     # hfence.gvma
    csrw    VSATP, zero
    csrw    HIDELEG, zero
    li      t0, 1 << HARDWARE_ERROR
    csrw    HEDELEG, t0
    la      t0, guest_trap
    csrw    VSTVEC, t0
    li      t0, HSTATUS_SPV | HSTATUS_SPVP
    csrs    HSTATUS, t0
    li      t0, SSTATUS_SPP
    csrs    sstatus, t0
    la      t0, guest
    csrw    sepc, t0
    sret

# The guest in VS-mode. It tells by a hypercall what became of it: a0 is 0 for the data in a1, 1 for a hardware error of its own.
guest:
    la      a2, poisoned
    li      s2, 0x7777
    .globl guest_load
guest_load:
    ld      a1, 0(a2)
    li      a0, 0
    ecall
    .balign 4
    .globl guest_trap
guest_trap:
    csrr    a3, scause
    csrr    a4, stval
    csrr    a5, sepc
    li      a0, 1
    ecall

# The monitor's vector: what ends the guest.
    .balign 4
vector:
    csrr    t0, HSTATUS
    andi    t0, t0, HSTATUS_SPV
    la      s0, text_monitor
    beqz    t0, bad
    csrr    t0, scause
    bltz    t0, interrupt
    li      t1, 10                  # ecall from VS-mode
    la      s0, text_other
    bne     t0, t1, bad
    li      t0, 0x7777
    la      s0, text_registers
    bne     s2, t0, bad
    bnez    a0, own_error
    la      s0, text_zeros
    beqz    a1, good
    li      t0, 0x5afe
    la      s0, text_data
    beq     a1, t0, good
    la      s0, text_garbage
    j       bad
own_error:
    la      s0, text_other
    li      t0, HARDWARE_ERROR
    bne     a3, t0, bad
    la      t0, poisoned
    bne     a4, t0, bad
    la      t0, guest_load
    bne     a5, t0, bad
    la      s0, text_own
    j       good
interrupt:
    lw      t0, dead
    la      s0, text_other
    beqz    t0, bad
    csrr    t0, sepc
    la      t1, guest_load
    bne     t0, t1, bad
    la      s0, text_dead
    j       good

# Where `elsewhere` sends the hart.
    .globl elsewhere
elsewhere:
    csrr    t0, HSTATUS             # a virtual-instruction exception if V = 1
    la      s0, text_elsewhere
    j       good

refused:
    la      s0, text_refused
bad:
    li      s1, 1
    j       off
good:
    lw      s1, wrong
    beqz    s1, off
    la      s0, text_wrong
off:
    la      sp, stack_top
    mv      a0, s0
    PUTS
    li      a0, 0
    mv      a1, s1
    SBI     EID_SRST, 0

# Every event's handler: a6 is the hart, a7 the event's descriptor.
    .balign 4
    .globl handler
handler:
    sd      t0, D_SAVED+8*5(a7)
    sd      t1, D_SAVED+8*6(a7)
    sd      a0, D_SAVED+8*10(a7)
    sd      s0, D_SAVED+8*8(a7)
    sd      s1, D_SAVED+8*9(a7)
    mv      s0, a7
    ld      a0, D_TEXT(s0)
    PUTS
    csrr    s1, HSTATUS
    andi    s1, s1, HSTATUS_SPV
    la      a0, text_in_guest
    bnez    s1, 1f
    la      a0, text_in_monitor
1:  PUTS
    ld      t0, D_EVENT(s0)
    bnez    t0, handled

    # The hart's error record says which line it was. It is read, then made invalid.
    li      s1, RECORD
    ld      t0, STATUS(s1)
    andi    t0, t0, 1
    ld      t1, ADDR_INFO(s1)
    la      a0, poisoned
    sub     t1, t1, a0
    bnez    t1, 2f
    bnez    t0, 3f
2:  la      t0, wrong
    li      t1, 1
    sw      t1, 0(t0)
3:  ld      t0, CONTROL(s1)
    li      t1, SINV
    or      t0, t0, t1
    sd      t0, CONTROL(s1)

    lw      t0, choice
    li      t1, 'r'
    beq     t0, t1, repair
    li      t1, 'k'
    beq     t0, t1, kill
    li      t1, 'e'
    beq     t0, t1, go_elsewhere
    j       handled
repair:
    .insn   i 0x0f, 2, x0, a0, 4    # cbo.zero (a0)
    j       handled
kill:
    la      t0, dead
    li      t1, 1
    sw      t1, 0(t0)
    csrsi   sip, 2
    j       handled
go_elsewhere:
    la      t0, elsewhere
    csrw    sepc, t0
    li      t0, SSTATUS_SPP
    csrs    sstatus, t0
    li      t0, HSTATUS_SPV
    csrc    HSTATUS, t0
handled:
    mv      a7, s0
    ld      t0, D_SAVED+8*5(a7)
    ld      t1, D_SAVED+8*6(a7)
    ld      a0, D_SAVED+8*10(a7)
    ld      s0, D_SAVED+8*8(a7)
    ld      s1, D_SAVED+8*9(a7)
    SBI     EID_SSE, SSE_COMPLETE
    j       refused

    .section .rodata
text_local_high:  .asciz "local high-priority RAS event"
text_global_high: .asciz "global high-priority RAS event"
text_local_low:   .asciz "local low-priority RAS event"
text_global_low:  .asciz "global low-priority RAS event"
text_in_guest:    .asciz " in the guest\n"
text_in_monitor:  .asciz " in the monitor\n"
text_data:        .asciz "the guest has read its data: ok\n"
text_zeros:       .asciz "the guest has read a fresh line: ok\n"
text_own:         .asciz "the guest has taken a hardware error of its own: ok\n"
text_dead:        .asciz "the guest is dead before it tries again: ok\n"
text_elsewhere:   .asciz "the monitor has gone on elsewhere: ok\n"
text_garbage:     .asciz "the guest has read what nobody wrote\n"
text_registers:   .asciz "the guest has lost a register\n"
text_wrong:       .asciz "the error record does not name the poisoned line\n"
text_monitor:     .asciz "a trap of the monitor's\n"
text_other:       .asciz "another trap of the guest's\n"
text_refused:     .asciz "the firmware refused\n"

    .data
    .balign 8
    .macro  DESCRIPTOR event, text
    .dword  \event, \text
    .space  128
    .endm
events:
    DESCRIPTOR 0x000000, text_local_high
    DESCRIPTOR 0x008000, text_global_high
    DESCRIPTOR 0x100000, text_local_low
    DESCRIPTOR 0x108000, text_global_low
one_shot: .dword ONESHOT
    .globl choice
choice:   .word 'l'
dead:     .word 0
wrong:    .word 0
    .balign 64
    .globl poisoned
poisoned: .dword 0x5afe
    .space  56
    .balign 0x4000
g_stage:  .space 0x4000
    .space  1024
stack_top:
