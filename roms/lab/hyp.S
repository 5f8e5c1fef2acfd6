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
    .equ FWFT_LANDING_PAD, 1
    .equ FWFT_SHADOW_STACK, 2
    .equ FWFT_DOUBLE_TRAP, 3
    .equ ENVCFG_LPE, 1 << 2
    .equ ENVCFG_SSE, 1 << 3
    .equ SHADOW, 0xc0000000         # what to add to an address to get a shadow stack there, the kernel's
    .equ SHADOW_USER, 0x100000000   # the same for the user
    .equ SHADOW_GUEST, 0x200000     # the same for the guest's kernel
    .equ SHADOW_GUEST_USER, USER + SHADOW_GUEST
    .equ SENVCFG, 0x10a
    .equ HENVCFG, 0x60a
    .equ MMIO, 0x40001238           # guest-physical, not mapped: the hypervisor's to emulate

# Offsets in the hart's block.
    .equ CPU_KSP, 0                 # kernel stack while the user runs
    .equ CPU_USP, 8                 # interrupted stack pointer
    .equ CPU_KSSP, 16               # kernel shadow stack while the user runs
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
    .equ F_SSP, 336                 # interrupted shadow stack
    .equ F_OWN_SSP, 344             # the event's
# Offsets in the virtual CPU, after the guest's 32 registers.
    .equ V_SEPC, 256
    .equ V_SSTATUS, 264
    .equ V_HSTATUS, 272
    .equ V_HOST, 280                # 32 registers of the host
    .equ V_HOST_SSTATUS, 536
    .equ V_HOST_HSTATUS, 544
    .equ V_HOST_STVEC, 552
    .equ V_HOST_SSCRATCH, 560
    .equ V_SSP, 568
    .equ V_HOST_SSP, 576

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
    .if CFI
    li      a0, FWFT_LANDING_PAD
    li      a1, 1
    li      a2, 0
    SBI     EID_FWFT, 0
    bnez    a0, refused
    li      a0, FWFT_SHADOW_STACK
    li      a1, 1
    li      a2, 0
    SBI     EID_FWFT, 0
    bnez    a0, refused
    li      a0, FWFT_DOUBLE_TRAP
    li      a1, 1
    li      a2, 0
    SBI     EID_FWFT, 0
    bnez    a0, refused
    li      t0, ENVCFG_LPE | ENVCFG_SSE
    csrs    SENVCFG, t0
    csrs    HENVCFG, t0
    la      t0, shadow_kernel
    li      t1, SHADOW
    add     t1, t0, t1
    csrw    SSP, t1
    la      t2, frame
    addi    t1, t1, 1024
    sd      t1, F_OWN_SSP(t2)
    li      t1, SHADOW_USER
    add     t1, t0, t1
    addi    t1, t1, 512
    sd      t1, CPU_KSSP(tp)
    li      a0, EVENT_DOUBLE_TRAP
    la      a1, double_trap_entry
    la      a2, double_trap_frame
    SBI     EID_SSE, SSE_REGISTER
    bnez    a0, refused
    li      a0, EVENT_DOUBLE_TRAP
    SBI     EID_SSE, SSE_ENABLE
    bnez    a0, refused
    .endif

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
    JUMP_TO_PAD
    SHADOW_CALL
    SWAP_SSP CPU_KSSP(tp), CPU_KSSP(tp), t0
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
    JUMP_TO_PAD
    SHADOW_CALL
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
    .if CFI
    andi    t0, s1, SSTATUS_SPP
    bnez    t0, 1f
    SWAP_SSP CPU_KSSP(tp), 272(sp), t0
1:  CLEAR_SDT
    .endif
point_KERNEL:
    JUMP_TO_PAD
    SHADOW_CALL
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
    SWAP_SSP 272(sp), CPU_KSSP(tp), t0
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

    .include "lab/switch.inc"
    .include "lab/handler.inc"

# Fills the page tables; clobbers t0-t4.
make_tables:
    la      t4, root
    li      t0, 0xcf                # a gigapage at 2 GiB: V R W X A D
    li      t1, 0x80000000 >> 2
    or      t2, t0, t1
    sd      t2, 8*2(t4)
    ori     t2, t2, 0x10            # the user's view of it
    sd      t2, 8*3(t4)
    .if CFI
    andi    t1, t2, ~0x1b           # the same memory for shadow stacks: W without R and X, not U
    ori     t1, t1, 1
    sd      t1, 8*5(t4)
    ori     t1, t1, 0x10
    sd      t1, 8*6(t4)
    .endif
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
    .if CFI
    li      t1, 0x80600000 >> 2 | 0xc5
    sd      t1, 8*4(t4)
    .endif
    la      t4, vu_level1
    ori     t0, t0, 0x10
    sd      t0, 8*3(t4)
    .if CFI
    ori     t1, t1, 0x10
    sd      t1, 8*4(t4)
    .endif
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
    .if CFI
    .dword 0                        # CPU_KSSP
    .space 1024                     # below it, and 512 and 1024 above it, three shadow stacks
shadow_kernel:  .space 1032
double_trap_frame: .dword 0, 0
    .endif
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

    .include "lab/guest.inc"
