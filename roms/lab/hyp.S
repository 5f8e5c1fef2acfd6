# A small hypervisor that is interrupted by Supervisor Software Events: a user program in U-mode asks the kernel in HS-mode to run a guest,
# VS- and VU-mode, whose exits come back here. Between window_begin and window_end every instruction is a place where the event may
# come. One hart does all that (the victim); another (the injector) sends it the local software event once.
#
# The words of lab_config choose what a kernel might do; the laboratory writes them before it lets the harts go:
#   lab_policy   what the event's handler saves and restores besides the integer registers and sepc:
#                0 nothing  1 sstatus (Linux series v1 to v8)  2 and stvec, pointed at the kernel's vector meanwhile  3 and hstatus (v9)
#   lab_variant  what the handler does: 0 nothing  1 a breakpoint  2 a page fault in the kernel's memory  3 the same on the user's stack
#                4 takes an interrupt  5 has its victim go on at `elsewhere` in HS-mode (SBI 3.0 lets it)
#   lab_layout   where hstatus is swapped: 0 in the world switch itself (Linux up to 6.12)  1 around it (6.13 and later)
#   lab_go       harts wait in spin_victim and spin_injector until it is not 0
#
# The points of a world switch are labels, point_P0 to point_P11, in the order of Linux's: what has been swapped when the hart is there.
# tp is the hart's block in HS-mode; sscratch holds it while the user runs and is 0 in the kernel.
    .include "lab/sbi.inc"
    .equ USER, 0x40000000           # what to add to an address to get U-mode's (VU-mode's) view of it
    .equ LAZY, 0x100000000          # a kernel page that is mapped on its first use
    .equ LAZY_USER, 0x100001000     # the same for the user
    .equ MMIO, 0x40001238           # guest-physical, not mapped: the hypervisor's to emulate

# Offsets in the hart's block.
    .equ CPU_KSP, 0                 # kernel stack while the user runs
    .equ CPU_USP, 8                 # interrupted stack pointer
# Offsets in the event's frame, after 32 registers.
    .equ F_SP, 16
    .equ F_SEPC, 256
    .equ F_SSTATUS, 264
    .equ F_SCAUSE, 272
    .equ F_STVAL, 280
    .equ F_SSCRATCH, 288
    .equ F_STVEC, 296
    .equ F_HSTATUS, 304
    .equ F_KSP, 312
    .equ F_USP, 320
    .equ F_CPU, 328
# Offsets in the virtual CPU, after the guest's 32 registers.
    .equ V_SEPC, 256
    .equ V_SSTATUS, 264
    .equ V_HSTATUS, 272
    .equ V_HOST, 280                # 32 registers of the host
    .equ V_HOST_SSTATUS, 536
    .equ V_HOST_HSTATUS, 544
    .equ V_HOST_STVEC, 552
    .equ V_HOST_SSCRATCH, 560

    .section .text.init
    .globl _start
_start:
    la      t0, victim_id
    sd      a0, 0(t0)
    la      sp, stack_top
    la      tp, cpu
    call    make_tables
    la      t0, root
    srli    t0, t0, 12
    li      t1, 8 << 60
    or      t0, t0, t1
    sfence.vma
    csrw    satp, t0
    sfence.vma
    la      t0, handle_exception
    csrw    stvec, t0
    csrw    sscratch, zero
    csrw    sie, zero

    # The guest's side of the CSRs.
    la      t0, g_stage
    srli    t0, t0, 12
    li      t1, 8 << 60
    or      t0, t0, t1
    csrw    HGATP, t0
    .insn   r 0x73, 0, 0x31, x0, x0, x0     # hfence.gvma
    la      t0, vs_root
    srli    t0, t0, 12
    or      t0, t0, t1
    csrw    VSATP, t0
    la      t0, vs_trap
    csrw    VSTVEC, t0
    csrw    VSSCRATCH, zero
    li      t0, 0x22                # VSSIE (as the guest sees it, SSIE) and STIE
    csrw    VSSTATUS, zero
    li      t1, 0x444
    csrw    HIDELEG, t1
    csrw    VSIE, t0
    li      t0, 0xb109              # fetch misaligned, breakpoint, ecall from VU, page faults
    csrw    HEDELEG, t0
    li      t0, 0x44                # an IPI and a timer wait for the guest
    csrw    HVIP, t0

    # The event, and the other hart.
    la      a1, sse_entry
    la      a2, frame
    la      t0, cpu
    sd      t0, F_CPU(a2)
    li      a0, EVENT_LOCAL_SOFTWARE
    SBI     EID_SSE, SSE_REGISTER
    bnez    a0, refused
    li      a0, EVENT_LOCAL_SOFTWARE
    SBI     EID_SSE, SSE_ENABLE
    bnez    a0, refused
    SBI     EID_SSE, SSE_UNMASK
    bnez    a0, refused
    ld      a0, victim_id
    xori    a0, a0, 1
    la      a1, injector
    li      a2, 0
    SBI     EID_HSM, 0
    bnez    a0, refused
    la      t1, injector_ready
1:  lw      t0, 0(t1)
    beqz    t0, 1b
    la      t1, lab_config
    .globl spin_victim
spin_victim:
    lw      t0, 12(t1)
    beqz    t0, spin_victim

# HS-mode, nothing special.
    .globl window_begin
window_begin:
point_HS:
    la      t0, user
    li      t1, USER
    add     t0, t0, t1
    csrw    sepc, t0
    li      t0, SSTATUS_SPP
    csrc    sstatus, t0
    li      t0, SSTATUS_SPIE
    csrs    sstatus, t0
    sd      sp, CPU_KSP(tp)
    csrw    sscratch, tp
    li      s2, 0x1111
    li      s3, 0x2222
    li      sp, 0x3333
    sret

# U-mode: one system call that runs the guest, one that ends the window.
point_U:
user:
    addi    s2, s2, 1
    xor     s4, s2, s3
    li      a0, 1
    ecall
    li      t0, 0x1112
    bne     s2, t0, user_bad
    li      t0, 0x3333
    bne     sp, t0, user_bad
    li      a0, 2
    ecall
user_bad:
    li      a0, 3
    ecall

# The injector: one event to the victim, then no more.
injector:
    la      t0, injector_ready
    li      t1, 1
    sw      t1, 0(t0)
    la      t1, lab_config
    .globl spin_injector
spin_injector:
    lw      t0, 12(t1)
    beqz    t0, spin_injector
    ld      a1, victim_id
    li      a0, EVENT_LOCAL_SOFTWARE
    li      a6, SSE_INJECT
    li      a7, EID_SSE
    .globl inject_here
inject_here:
    ecall
    .globl inject_done
inject_done:
    la      t0, inject_result
    sd      a0, 0(t0)
    SBI     EID_HSM, 1
2:  j       2b

refused:
    la      t0, result
    sd      a0, 0(t0)
    la      a0, text_refused
    j       say_and_stop

# The kernel's vector.
    .balign 4
    .globl handle_exception
handle_exception:
point_SYSCALL:
    csrrw   tp, sscratch, tp
    bnez    tp, from_user
    csrr    tp, sscratch
    sd      sp, CPU_USP(tp)
    j       save
from_user:
    sd      sp, CPU_USP(tp)
    ld      sp, CPU_KSP(tp)
save:
    addi    sp, sp, -512
    EACH    sd, sp
    sd      x16, 8*16(sp)
    sd      x17, 8*17(sp)
    ld      s0, CPU_USP(tp)
    csrr    s1, sstatus
    csrr    s2, sepc
    csrr    s3, stval
    csrr    s4, scause
    csrr    s5, sscratch            # the interrupted tp
    sd      s0, 8*2(sp)
    sd      s1, 264(sp)
    sd      s2, 256(sp)
    sd      s5, 8*4(sp)
    csrw    sscratch, zero
point_KERNEL:
    bltz    s4, interrupt
    li      t0, 8
    beq     s4, t0, syscall
    li      t0, 3
    beq     s4, t0, skip
    li      t0, 13
    beq     s4, t0, page_fault
    j       panic
interrupt:
    csrci   sip, 2                  # the only one that anybody raises: a software interrupt
    j       ret_from_exception
skip:
    addi    s2, s2, 4
    sd      s2, 256(sp)
    j       ret_from_exception
page_fault:
    li      t0, LAZY
    srli    t1, s3, 12
    srli    t0, t0, 12
    sub     t1, t1, t0
    li      t2, 1
    bgtu    t1, t2, panic
    slli    t1, t1, 3
    la      t0, lazy0
    add     t0, t0, t1
    ld      t1, 0(t0)
    ori     t1, t1, 1
    sd      t1, 0(t0)
    sfence.vma
    j       ret_from_exception
syscall:
    addi    s2, s2, 4
    sd      s2, 256(sp)
    ld      t0, 8*10(sp)
    li      t1, 1
    beq     t0, t1, run_guest
    li      t1, 2
    beq     t0, t1, window_end
    j       panic

ret_from_exception:
    ld      s1, 264(sp)
    ld      s2, 256(sp)
    csrw    sstatus, s1
    csrw    sepc, s2
    andi    t0, s1, SSTATUS_SPP
    bnez    t0, 1f
    addi    t0, sp, 512
    sd      t0, CPU_KSP(tp)
    csrw    sscratch, tp
1:  ld      x16, 8*16(sp)
    ld      x17, 8*17(sp)
    EACH    ld, sp
    ld      sp, 8*2(sp)
    sret

    .globl window_end
window_end:
    la      a0, text_healthy
    ld      t0, htval_bad
    beqz    t0, say_and_stop
    la      a0, text_htval
say_and_stop:
    csrw    sscratch, zero
    PUTS
    .globl done
done:
    li      a0, 0
    li      a1, 0
    SBI     EID_SRST, 0
3:  j       3b

    .globl panic
panic:
    la      a0, text_panic
    PUTS
    li      a0, 0
    li      a1, 1
    SBI     EID_SRST, 0
4:  j       4b

# Where variant 5 sends its victim.
    .globl elsewhere
elsewhere:
    csrr    t0, HSTATUS             # a virtual-instruction exception if V=1
    la      sp, stack_top
    la      a0, text_elsewhere
    j       say_and_stop

# Runs the guest until it asks to stop, and handles its exits.
run_guest:
    la      s6, vcpu
    la      t0, vs_start
    sd      t0, V_SEPC(s6)
    li      t0, SSTATUS_SPP | SSTATUS_SPIE
    sd      t0, V_SSTATUS(s6)
    li      t0, 2 << 32 | HSTATUS_SPV | HSTATUS_SPVP   # VSXL: 64 bits
    sd      t0, V_HSTATUS(s6)
enter_guest:
point_P0:
    csrci   sstatus, SSTATUS_SIE
    mv      a0, s6
    lw      s7, lab_config + 8
    beqz    s7, 1f
    ld      t0, V_HSTATUS(s6)
    csrrw   t0, HSTATUS, t0
point_P0c:
    sd      t0, V_HOST_HSTATUS(s6)
1:  call    switch_to
point_P10c:
    beqz    s7, 2f
    ld      t0, V_HOST_HSTATUS(s6)
    csrrw   t0, HSTATUS, t0
point_P11:
    sd      t0, V_HSTATUS(s6)
2:  csrr    s4, scause
    csrr    s3, stval
    csrr    s8, HTVAL
    csrr    s9, HTINST
point_EXIT:
    li      t0, 10
    beq     s4, t0, hypercall
    li      t0, 21
    bne     s4, t0, panic_exit
# The guest loaded from MMIO: htval must say where. Linux reads the instruction through HLVX, with hstatus and stvec its own.
    slli    t0, s8, 2
    andi    t1, s3, 3
    or      t0, t0, t1
    li      t1, MMIO
    sub     t0, t0, t1
    la      t1, htval_bad
    beqz    t0, 3f
    li      t0, 1
    sd      t0, 0(t1)
3:  ld      t0, V_HSTATUS(s6)
    la      t1, unpriv_stub
    la      a0, trap_record
    ld      t2, V_SEPC(s6)
    csrrw   t1, stvec, t1
point_STUB:
    csrrw   t0, HSTATUS, t0
point_UNPRIV:
    .insn   r 0x73, 4, 0x32, t3, t2, x3     # hlvx.hu t3, (t2)
    addi    t2, t2, 2
    .insn   r 0x73, 4, 0x32, t4, t2, x3
    csrw    HSTATUS, t0
    csrw    stvec, t1
point_EMULATE:
    slli    t4, t4, 16
    or      t3, t3, t4
    srli    t3, t3, 7
    andi    t3, t3, 31              # rd
    slli    t3, t3, 3
    add     t3, t3, s6
    li      t0, 0x5a5a
    sd      t0, 0(t3)
    j       next_instruction
hypercall:
    ld      t0, 8*17(s6)
    beqz    t0, ret_from_exception  # the guest is done
    li      t0, 0x40                # it has seen its timer
    csrc    HVIP, t0
next_instruction:
    ld      t0, V_SEPC(s6)
    addi    t0, t0, 4
    sd      t0, V_SEPC(s6)
    j       enter_guest

    .globl panic_exit
panic_exit:
    la      a0, text_exit
    PUTS
    li      a0, 0
    li      a1, 1
    SBI     EID_SRST, 0
5:  j       5b

# What Linux's unprivileged-access stub does with a trap: it records it and steps over.
    .balign 4
    .globl unpriv_stub
unpriv_stub:
    sd      t5, 0(a0)
    csrr    t5, sepc
    sd      t5, 8(a0)
    addi    t5, t5, 4
    csrw    sepc, t5
    csrr    t5, scause
    sd      t5, 16(a0)
    csrr    t5, stval
    sd      t5, 24(a0)
    ld      t5, 0(a0)
    sret

# The world switch; a0 is the virtual CPU.
switch_to:
    sd      x1, V_HOST+8*1(a0)
    sd      x2, V_HOST+8*2(a0)
    sd      x3, V_HOST+8*3(a0)
    sd      x4, V_HOST+8*4(a0)
    sd      x8, V_HOST+8*8(a0)
    sd      x9, V_HOST+8*9(a0)
    sd      x18, V_HOST+8*18(a0)
    sd      x19, V_HOST+8*19(a0)
    sd      x20, V_HOST+8*20(a0)
    sd      x21, V_HOST+8*21(a0)
    sd      x22, V_HOST+8*22(a0)
    sd      x23, V_HOST+8*23(a0)
    sd      x24, V_HOST+8*24(a0)
    sd      x25, V_HOST+8*25(a0)
    sd      x26, V_HOST+8*26(a0)
    sd      x27, V_HOST+8*27(a0)
    ld      t0, V_SSTATUS(a0)
    ld      t1, V_HSTATUS(a0)
    la      t3, switch_return
    ld      t4, V_SEPC(a0)
    csrrw   t0, sstatus, t0
point_P1:
    bnez    s7, 1f
    csrrw   t1, HSTATUS, t1
point_P2:
    sd      t1, V_HOST_HSTATUS(a0)
1:  csrrw   t3, stvec, t3
point_P3:
    csrrw   t2, sscratch, a0
point_P4:
    csrw    sepc, t4
point_P5:
    sd      t0, V_HOST_SSTATUS(a0)
    sd      t3, V_HOST_STVEC(a0)
    sd      t2, V_HOST_SSCRATCH(a0)
    ld      x1, 8*1(a0)
    ld      x2, 8*2(a0)
    ld      x3, 8*3(a0)
    ld      x4, 8*4(a0)
    ld      x5, 8*5(a0)
    ld      x6, 8*6(a0)
    ld      x7, 8*7(a0)
    ld      x8, 8*8(a0)
    ld      x9, 8*9(a0)
    ld      x11, 8*11(a0)
    ld      x12, 8*12(a0)
    ld      x13, 8*13(a0)
    ld      x14, 8*14(a0)
    ld      x15, 8*15(a0)
    ld      x16, 8*16(a0)
    ld      x17, 8*17(a0)
    ld      x18, 8*18(a0)
    ld      x19, 8*19(a0)
    ld      x20, 8*20(a0)
    ld      x21, 8*21(a0)
    ld      x22, 8*22(a0)
    ld      x23, 8*23(a0)
    ld      x24, 8*24(a0)
    ld      x25, 8*25(a0)
    ld      x26, 8*26(a0)
    ld      x27, 8*27(a0)
    ld      x28, 8*28(a0)
    ld      x29, 8*29(a0)
    ld      x30, 8*30(a0)
    ld      x31, 8*31(a0)
    ld      x10, 8*10(a0)
    sret

# The guest's exits come here.
    .balign 4
    .globl switch_return
switch_return:
point_P7:
    csrrw   a0, sscratch, a0
point_P8:
    sd      x2, 8*2(a0)
    EACH    sd, a0
    sd      x16, 8*16(a0)
    sd      x17, 8*17(a0)
    ld      t0, V_HOST_STVEC(a0)
    ld      t1, V_HOST_SSTATUS(a0)
    ld      t2, V_HOST_SSCRATCH(a0)
    csrrw   t3, sscratch, t2        # the guest's a0
    sd      t3, 8*10(a0)
    csrr    t4, sepc
    sd      t4, V_SEPC(a0)
    csrw    stvec, t0
point_P9:
    ld      t0, V_HOST_HSTATUS(a0)
    ld      s7, V_HOST+8*23(a0)
    bnez    s7, 1f
    csrrw   t0, HSTATUS, t0
point_P10:
    sd      t0, V_HSTATUS(a0)
1:  csrrw   t1, sstatus, t1
    sd      t1, V_SSTATUS(a0)
    ld      x1, V_HOST+8*1(a0)
    ld      x2, V_HOST+8*2(a0)
    ld      x3, V_HOST+8*3(a0)
    ld      x4, V_HOST+8*4(a0)
    ld      x8, V_HOST+8*8(a0)
    ld      x9, V_HOST+8*9(a0)
    ld      x18, V_HOST+8*18(a0)
    ld      x19, V_HOST+8*19(a0)
    ld      x20, V_HOST+8*20(a0)
    ld      x21, V_HOST+8*21(a0)
    ld      x22, V_HOST+8*22(a0)
    ld      x23, V_HOST+8*23(a0)
    ld      x24, V_HOST+8*24(a0)
    ld      x25, V_HOST+8*25(a0)
    ld      x26, V_HOST+8*26(a0)
    ld      x27, V_HOST+8*27(a0)
    ret

# The event's handler: a6 is the hart, a7 the frame. Works on a stack of its own.
    .balign 4
    .globl sse_entry
sse_entry:
    sd      sp, F_SP(a7)
    EACH    sd, a7
    mv      s0, a7
    la      s1, lab_config
    lw      s2, 0(s1)               # policy
    lw      s3, 4(s1)               # variant
    la      sp, sse_stack_top
    ld      tp, F_CPU(s0)
    csrr    t0, sepc
    sd      t0, F_SEPC(s0)
    csrr    t0, sstatus
    sd      t0, F_SSTATUS(s0)
    csrr    t0, scause
    sd      t0, F_SCAUSE(s0)
    csrr    t0, stval
    sd      t0, F_STVAL(s0)
    csrrw   t0, sscratch, zero
    sd      t0, F_SSCRATCH(s0)
    ld      t0, CPU_KSP(tp)
    sd      t0, F_KSP(s0)
    ld      t0, CPU_USP(tp)
    sd      t0, F_USP(s0)
    li      t0, 2
    bltu    s2, t0, 1f
    la      t0, handle_exception
    csrrw   t0, stvec, t0
    sd      t0, F_STVEC(s0)
    li      t0, 3
    bltu    s2, t0, 1f
    csrr    t0, HSTATUS
    sd      t0, F_HSTATUS(s0)
1:  # what the handler is for
    beqz    s3, handler_end
    li      t0, 1
    beq     s3, t0, with_breakpoint
    li      t0, 2
    beq     s3, t0, with_page_fault
    li      t0, 3
    beq     s3, t0, with_user_copy
    li      t0, 4
    beq     s3, t0, with_interrupt
    j       with_another_place
with_breakpoint:
    ebreak
    j       handler_end
with_page_fault:
    li      t0, LAZY
    ld      t0, 0(t0)
    j       handler_end
with_user_copy:
    li      t0, SSTATUS_SUM
    csrs    sstatus, t0
    li      t0, LAZY_USER
    ld      t0, 0(t0)
    li      t0, SSTATUS_SUM
    csrc    sstatus, t0
    j       handler_end
with_interrupt:
    csrsi   sie, 2
    csrsi   sip, 2
    csrsi   sstatus, SSTATUS_SIE
    nop
    nop
    csrci   sstatus, SSTATUS_SIE
    csrci   sie, 2
    j       handler_end
with_another_place:
    la      t0, elsewhere
    sd      t0, F_SEPC(s0)
    ld      t0, F_SSTATUS(s0)
    ori     t0, t0, SSTATUS_SPP
    li      t1, SSTATUS_SPIE
    not     t1, t1
    and     t0, t0, t1
    sd      t0, F_SSTATUS(s0)
    csrw    sstatus, t0
    csrr    t0, HSTATUS
    andi    t0, t0, ~HSTATUS_SPV
    sd      t0, F_HSTATUS(s0)
    csrw    HSTATUS, t0
handler_end:
    ld      t0, F_USP(s0)
    sd      t0, CPU_USP(tp)
    ld      t0, F_KSP(s0)
    sd      t0, CPU_KSP(tp)
    ld      t0, F_SSCRATCH(s0)
    csrw    sscratch, t0
    li      t0, 2
    bltu    s2, t0, 2f
    ld      t0, F_STVEC(s0)
    csrw    stvec, t0
    li      t0, 3
    bltu    s2, t0, 2f
    ld      t0, F_HSTATUS(s0)
    csrw    HSTATUS, t0
2:  beqz    s2, 3f
    ld      t0, F_SSTATUS(s0)
    csrw    sstatus, t0
3:  ld      t0, F_SEPC(s0)
    csrw    sepc, t0
    ld      t0, F_STVAL(s0)
    csrw    stval, t0
    ld      t0, F_SCAUSE(s0)
    csrw    scause, t0
    mv      x17, s0
    EACH    ld, x17
    ld      sp, F_SP(x17)
    li      a7, EID_SSE
    li      a6, SSE_COMPLETE
    .globl complete_here
complete_here:
    ecall
    # Nothing was running: the firmware lost the event.
    j       panic

# Fills the page tables; clobbers t0-t4.
make_tables:
    la      t4, root
    li      t0, 0xcf                # a gigapage at 2 GiB: V R W X A D
    li      t1, 0x80000000 >> 2
    or      t2, t0, t1
    sd      t2, 8*2(t4)
    ori     t2, t2, 0x10            # the user's view of it
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
    la      t4, lazy0
    la      t1, lazy_page
    srli    t1, t1, 2
    ori     t2, t1, 0xc6            # all but V
    sd      t2, 0(t4)
    ori     t2, t1, 0xd6
    sd      t2, 8(t4)
    # G-stage: 2 MiB of guest memory where the guest's image is.
    la      t4, g_stage
    la      t1, g_stage1
    srli    t1, t1, 2
    ori     t1, t1, 1
    sd      t1, 8*2(t4)
    la      t4, g_stage1
    li      t0, 0x80600000 >> 2 | 0xdf
    sd      t0, 8*3(t4)
    # VS-stage: the same addresses, MMIO at 1 GiB, and VU's view of the memory.
    la      t4, vs_root
    li      t0, 0x40000000 >> 2 | 0xc7
    sd      t0, 8*1(t4)
    la      t1, vs_level1
    srli    t1, t1, 2
    ori     t1, t1, 1
    sd      t1, 8*2(t4)
    la      t1, vu_level1
    srli    t1, t1, 2
    ori     t1, t1, 1
    sd      t1, 8*3(t4)
    la      t4, vs_level1
    li      t0, 0x80600000 >> 2 | 0xcf
    sd      t0, 8*3(t4)
    la      t4, vu_level1
    ori     t0, t0, 0x10
    sd      t0, 8*3(t4)
    ret

    .section .rodata
text_healthy:   .asciz "hyp: healthy\n"
text_htval:     .asciz "hyp: htval was lost\n"
text_elsewhere: .asciz "hyp: went on elsewhere\n"
text_panic:     .asciz "hyp: panic: a trap the kernel does not expect\n"
text_exit:      .asciz "hyp: panic: an exit the hypervisor does not expect\n"
text_refused:   .asciz "hyp: the firmware refused\n"

    .data
    .balign 8
    .globl lab_config, victim_id
lab_config:
    .globl lab_policy, lab_variant, lab_layout, lab_go
lab_policy:     .word 1
lab_variant:    .word 1
lab_layout:     .word 0
lab_go:         .word 1
victim_id:      .dword 0
injector_ready: .dword 0
inject_result:  .dword -1
result:         .dword 0
htval_bad:      .dword 0
trap_record:    .dword 0, 0, 0, 0
cpu:            .dword 0, 0
    .balign 4096
root:           .space 4096
lazy1:          .space 4096
lazy0:          .space 4096
lazy_page:      .space 4096
    .balign 0x4000
g_stage:        .space 0x4000
g_stage1:       .space 4096
frame:          .space 512
vcpu:           .space 1024
    .space 4096
stack_top:
    .space 4096
sse_stack_top:

# The guest: its kernel in VS-mode takes an IPI and a timer interrupt, reads a device, runs a program in VU-mode.
    .section .guest, "awx"
    .balign 4096
vs_root:        .space 4096
vs_level1:      .space 4096
vu_level1:      .space 4096
vs_counts:      .dword 0, 0
    .balign 4
vs_start:
    li      sp, 0x80610000
    li      s1, 0x7777
    csrsi   sstatus, SSTATUS_SIE    # both interrupts come here
    nop
    nop
    csrci   sstatus, SSTATUS_SIE
    li      t0, MMIO
    lw      a1, 0(t0)
    li      t1, 0x5a5a
    bne     a1, t1, vs_bad
    la      t0, vu_start
    li      t1, USER
    add     t0, t0, t1
    csrw    sepc, t0
    li      t0, SSTATUS_SPP
    csrc    sstatus, t0
    sret
vs_bad:
    .word 0
    .balign 4
vs_trap:
    sd      t0, -8(sp)
    sd      t1, -16(sp)
    csrr    t0, scause
    li      t1, 8
    beq     t0, t1, vs_syscall
    slli    t0, t0, 1
    srli    t0, t0, 1
    li      t1, 1
    beq     t0, t1, vs_ipi
    li      t1, 5
    bne     t0, t1, vs_bad
    li      a7, 1                   # hypercall: the timer has been seen
    ecall
    j       vs_return
vs_ipi:
    csrci   sip, 2
vs_return:
    ld      t0, -8(sp)
    ld      t1, -16(sp)
    sret
vs_syscall:
    li      t0, 0x7778
    bne     s1, t0, vs_bad
    li      a7, 0                   # hypercall: done
    ecall
    j       vs_bad
    .balign 4
vu_start:
    addi    s1, s1, 1
    xor     s2, s1, sp
    xor     s2, s2, s1
    bne     s2, sp, vu_bad
    ecall
vu_bad:
    .word 0
