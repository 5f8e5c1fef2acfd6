# A tour of the privilege modes: M -> HS -> U -> HS -> VS -> VU and back, with a few traps at each stop.
# The program says what it is about to do; the emulator explains each trap beside it.
#
# Conventions: s11 is the UART's address in the current mode; trap handlers may use t0-t2; a7 tells what an ecall wants:
# 0 nothing (skip it), 1 go on at s0 in the mode that took the trap, 2 (to HS) inject a software interrupt into the guest.
#
# One address space serves S and U, and the same one VS and VU:
#   0x00000000 devices for S      0x40000000 devices for U
#   0x80000000 program for S      0xc0000000 program for U
#   0x100000000 nothing           0x140000000 (VS only) guest physical 0xc0000000, which the G-stage maps on the first fault
    .include "rom.inc"
    .equ USER, 0x40000000           # what to add to an address to get U-mode's view of it

.macro SAY text
    .pushsection .rodata
9:  .asciz "\text\n"
    .popsection
    la      a0, 9b
    call    say
.endm

    .section .text.init
    .globl _start
_start:
    li      s11, UART
    la      t0, m_trap
    csrw    mtvec, t0
    OPEN_PMP

    SAY     "M:  an ecall from M-mode; nothing can delegate it"
    li      a7, 0
    ecall
    SAY     "M:  a write to the read-only counter 'cycle': an illegal instruction, and nothing is delegated yet"
    unimp

    li      t0, 0xf0b50c            # illegal, breakpoint, ecall from U and VS, page faults, guest-page faults, virtual instruction
    csrw    medeleg, t0
    li      t0, 0x222               # supervisor software, timer, external
    csrw    mideleg, t0
    li      t0, 7
    csrw    mcounteren, t0
    li      t0, 1 << 63             # STCE: the supervisor has its own timer comparator
    csrs    MENVCFG, t0
    li      t0, 3 << 11
    csrc    mstatus, t0
    li      t0, 1 << 11             # MPP = S
    csrs    mstatus, t0
    la      t0, hs_start
    csrw    mepc, t0
    SAY     "M:  delegates most exceptions to HS-mode and goes there by mret"
    mret

hs_start:
    la      t0, s_trap
    csrw    stvec, t0
    la      t0, root_s
    call    satp_of
    csrw    satp, t0
    sfence.vma

    SAY     "HS: an ecall; medeleg does not have it, so M-mode takes it"
    li      a7, 0
    ecall
    SAY     "HS: an illegal instruction; medeleg[2] sends it to HS-mode itself"
    unimp
    SAY     "HS: sets its own software interrupt pending"
    csrsi   sie, 2
    csrsi   sstatus, 2              # SIE
    csrsi   sip, 2
    SAY     "HS: asks for a timer interrupt and waits for it"
    csrr    t0, time
    addi    t0, t0, 100
    csrw    STIMECMP, t0
    li      t0, 1 << 5
    csrs    sie, t0
    wfi
    csrci   sstatus, 2
    SAY     "HS: goes to U-mode by sret"
    li      t0, 1 << 8              # SPP = U
    csrc    sstatus, t0
    la      t0, u_start
    li      t1, USER
    add     t0, t0, t1
    csrw    sepc, t0
    add     s11, s11, t1
    sret

u_start:
    SAY     "U:  an ecall; medeleg[8] sends it to HS-mode"
    li      a7, 0
    ecall
    SAY     "U:  a load from an address without a translation"
    li      t0, 0x100000000
    lw      t1, 0(t0)
    SAY     "U:  reads a supervisor CSR"
    csrr    t0, sstatus
    SAY     "U:  gives the machine back to HS-mode"
    li      a7, 1
    la      s0, hs_virtual
    li      t0, USER
    sub     s0, s0, t0
    ecall

hs_virtual:
    li      s11, UART
    li      t0, 0xb100              # ecall from (V)U, page faults go on to VS-mode
    csrw    hedeleg, t0
    li      t0, 0x444               # VS software, timer, external
    csrw    hideleg, t0
    la      t0, root_g
    call    satp_of                 # Sv39x4 has the same mode number
    csrw    hgatp, t0
    hfence.gvma
    la      t0, root_vs
    call    satp_of
    csrw    vsatp, t0
    la      t0, vs_trap
    csrw    vstvec, t0
    li      t0, 1 << 7 | 1 << 8     # SPV, SPVP
    csrs    hstatus, t0
    li      t0, 1 << 8              # SPP = S
    csrs    sstatus, t0
    la      t0, vs_start
    csrw    sepc, t0
    SAY     "HS: builds a guest and enters it: sret with hstatus.SPV set leads to VS-mode"
    sret

vs_start:
    SAY     "VS: an ecall; medeleg[10] sends it to HS-mode, the guest's firmware"
    li      a7, 0
    ecall
    SAY     "VS: reads a hypervisor CSR: the host would be allowed to, so it is a virtual-instruction exception"
    csrr    t0, hstatus
    SAY     "VS: a load that its own page table maps and the G-stage does not; HS-mode maps it and the load runs again"
    li      t0, 0x140000000
    lw      t1, 0(t0)
    SAY     "VS: enables interrupts and asks HS-mode for one; hideleg sends it to VS-mode"
    csrsi   sie, 2
    csrsi   sstatus, 2
    li      a7, 2
    ecall
    SAY     "VS: goes to VU-mode by sret"
    li      t0, 1 << 8
    csrc    sstatus, t0
    la      t0, vu_start
    li      t1, USER
    add     t0, t0, t1
    csrw    sepc, t0
    add     s11, s11, t1
    sret

vu_start:
    SAY     "VU: an ecall; medeleg[8] and hedeleg[8] send it to VS-mode; HS-mode never sees it"
    li      a7, 0
    ecall
    SAY     "VU: a load that the guest's own page table does not map: a page fault for VS-mode"
    li      t0, 0x100000000
    lw      t1, 0(t0)
    SAY     "VU: an sret, which HS-mode could execute: a virtual-instruction exception"
    sret
    SAY     "VU: gives the guest back to VS-mode"
    li      a7, 1
    la      s0, vs_end
    li      t0, USER
    sub     s0, s0, t0
    ecall

vs_end:
    li      s11, UART
    SAY     "VS: gives the hart back to HS-mode"
    li      a7, 1
    la      s0, hs_end
    ecall

hs_end:
    SAY     "HS: gives it back to M-mode"
    li      a7, 1
    la      s0, m_end
    ecall

m_end:
    SAY     "M:  powers off"
    POWER_OFF

# t0 = page table -> t0 = satp, vsatp or hgatp value in mode 8 (Sv39, Sv39x4).
satp_of:
    srli    t0, t0, 12
    li      t1, 8 << 60
    or      t0, t0, t1
    ret

# Prints the text at a0.
say:
1:  lbu     t0, 0(a0)
    beqz    t0, 3f
2:  lbu     t1, 5(s11)              # line status: wait until the transmitter takes a byte
    andi    t1, t1, 0x20
    beqz    t1, 2b
    sb      t0, 0(s11)
    addi    a0, a0, 1
    j       1b
3:  ret

    .balign 4
m_trap:
    csrr    t0, mcause
    li      t1, 9                   # ecall from HS-mode
    bne     t0, t1, 1f
    li      t1, 1
    beq     a7, t1, 2f
1:  csrr    t0, mepc
    addi    t0, t0, 4
    csrw    mepc, t0
    mret
2:  jr      s0

    .balign 4
s_trap:
    csrr    t0, scause
    bltz    t0, s_interrupt
    li      t1, 21                  # load guest-page fault
    beq     t0, t1, s_map
    li      t1, 8                   # ecall from U-mode
    beq     t0, t1, 1f
    li      t1, 10                  # ecall from VS-mode
    bne     t0, t1, 3f
1:  li      t1, 1
    beq     a7, t1, 4f
    li      t1, 2
    bne     a7, t1, 3f
    li      t1, 1 << 2              # VSSIP
    csrs    hvip, t1
3:  csrr    t0, sepc
    addi    t0, t0, 4
    csrw    sepc, t0
    sret
4:  jr      s0

s_map:                              # gives the guest the page it missed, and lets it try again
    la      t0, root_g
    li      t1, (0x80000000 >> 2) | 0xdf
    sd      t1, 3 * 8(t0)
    hfence.gvma
    sret

s_interrupt:
    andi    t0, t0, 0xf
    li      t1, 5
    beq     t0, t1, 1f
    csrci   sip, 2
    sret
1:  li      t0, -1                  # no more timer interrupts
    csrw    STIMECMP, t0
    sret

    .balign 4
vs_trap:
    csrr    t0, scause
    bltz    t0, 1f
    li      t1, 8
    bne     t0, t1, 2f
    li      t1, 1
    beq     a7, t1, 3f
2:  csrr    t0, sepc
    addi    t0, t0, 4
    csrw    sepc, t0
    sret
1:  csrci   sip, 2
    sret
3:  jr      s0

# Page tables: gigapage leaves. Flags: V=1 R=2 W=4 X=8 U=0x10 A=0x40 D=0x80.
    .data
    .balign 0x4000
root_g:                             # G-stage: four times the size of an ordinary root, and every leaf has U
    .dword  0xd7
    .dword  0
    .dword  (0x80000000 >> 2) | 0xdf
    .zero   0x4000 - 3 * 8
root_s:
    .dword  0xc7
    .dword  0xd7
    .dword  (0x80000000 >> 2) | 0xcf
    .dword  (0x80000000 >> 2) | 0xdf
    .zero   0x1000 - 4 * 8
root_vs:
    .dword  0xc7
    .dword  0xd7
    .dword  (0x80000000 >> 2) | 0xcf
    .dword  (0x80000000 >> 2) | 0xdf
    .dword  0
    .dword  (0xc0000000 >> 2) | 0xc7
    .zero   0x1000 - 6 * 8
