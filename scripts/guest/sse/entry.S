/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * Where an event enters: HS-mode, interrupts off, a6 = hart, a7 = ENTRY_ARG (a struct sse_context), everything else that of what was
 * interrupted. That may be user code, the kernel with any sp and tp, the first instructions of its trap handler, KVM's change of worlds, or a
 * guest. So nothing is assumed of sp, gp, tp, sscratch and stvec, and one register at a time becomes the handler's.
 */
#include "sse.h"

    .macro each_register op
    .irp n, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    \op x\n, 8 * \n(sp)
    .endr
    .endm

    .text
    .globl sse_entry
    .type sse_entry, @function
    .balign 4
sse_entry:
    sd sp, CTX_SP(a7)
    ld sp, CTX_STACK(a7)
    addi sp, sp, -FRAME_SIZE
    each_register sd
    ld gp, CTX_GP(a7)
    ld tp, CTX_TASK(a7)
    ld s1, CTX_SAVE(a7)
    mv s0, a7

    csrr t0, sepc
    csrr t1, sstatus
    csrr t2, scause
    csrr t3, stval
    csrrw t4, sscratch, zero        // so that a trap is one of the kernel's
    sd t0, FRAME_SEPC(sp)
    sd t1, FRAME_SSTATUS(sp)
    sd t2, FRAME_SCAUSE(sp)
    sd t3, FRAME_STVAL(sp)
    sd t4, FRAME_SSCRATCH(sp)
    csrr t0, stvec
    sd t0, FRAME_STVEC(sp)
    sd zero, FRAME_HSTATUS(sp)
    andi t0, s1, HAVE_H
    beqz t0, 1f
    csrr t0, CSR_HSTATUS_NUMBER
    csrr t1, CSR_HTVAL_NUMBER
    csrr t2, CSR_HTINST_NUMBER
    sd t0, FRAME_HSTATUS(sp)
    sd t1, FRAME_HTVAL(sp)
    sd t2, FRAME_HTINST(sp)
1:  andi t0, s1, SAVE_STVEC
    beqz t0, 2f
    ld t0, CTX_STVEC(s0)
    csrw stvec, t0
2:  mv a0, s0
    mv a1, sp
    call sse_event

    andi t0, s1, SAVE_STVEC
    beqz t0, 3f
    ld t0, FRAME_STVEC(sp)
    csrw stvec, t0
3:  andi t0, s1, SAVE_HSTATUS
    beqz t0, 4f
    ld t0, FRAME_HSTATUS(sp)
    csrw CSR_HSTATUS_NUMBER, t0
4:  andi t0, s1, SAVE_HTVAL
    beqz t0, 5f
    ld t0, FRAME_HTVAL(sp)
    ld t1, FRAME_HTINST(sp)
    csrw CSR_HTVAL_NUMBER, t0
    csrw CSR_HTINST_NUMBER, t1
5:  andi t0, s1, SAVE_SSTATUS
    beqz t0, 6f
    ld t0, FRAME_SSTATUS(sp)
    csrw sstatus, t0
6:  ld t0, FRAME_SEPC(sp)
    ld t1, FRAME_SCAUSE(sp)
    ld t2, FRAME_STVAL(sp)
    ld t3, FRAME_SSCRATCH(sp)
    csrw sepc, t0
    csrw scause, t1
    csrw stval, t2
    csrw sscratch, t3
    mv a6, s0
    each_register ld
    ld sp, CTX_SP(a6)
    li a7, EID_SSE
    li a6, FID_SSE_COMPLETE
    ecall
    unimp                           // complete does not return here
    .size sse_entry, . - sse_entry

    .section .note.GNU-stack, "", @progbits
