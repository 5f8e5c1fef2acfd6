/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* What entry.S and sse.c share: the context of an event on a hart, which is ENTRY_ARG, and the frame that entry.S makes on its stack. */
#ifndef TRAPEZE_SSE_H
#define TRAPEZE_SSE_H

/* struct sse_context */
#define CTX_STACK 0  /* top of the handler's own stack */
#define CTX_SP 8     /* sp of the interrupted context */
#define CTX_TASK 16  /* tp of the handler: a task that sleeps, bound to this hart */
#define CTX_GP 24    /* gp of the kernel */
#define CTX_STVEC 32 /* stvec of the kernel */
#define CTX_SAVE 40  /* SAVE_* */

/* What the handler puts back before it completes, besides sepc, scause, stval and sscratch. */
#define SAVE_SSTATUS 1
#define SAVE_STVEC 2 /* and leads traps to the kernel's vector meanwhile */
#define SAVE_HSTATUS 4
#define SAVE_HTVAL 8 /* htval and htinst */
#define HAVE_H 16    /* not a choice: the hart has the hypervisor extension */

/* The frame: x1 to x31 at 8 * number, then CSRs. a6 and a7 are in the event's attributes, sp is in the context. */
#define FRAME_SEPC 256
#define FRAME_SSTATUS 264
#define FRAME_SCAUSE 272
#define FRAME_STVAL 280
#define FRAME_SSCRATCH 288
#define FRAME_STVEC 296
#define FRAME_HSTATUS 304
#define FRAME_HTVAL 312
#define FRAME_HTINST 320
#define FRAME_SIZE 336 /* a multiple of 16 */

#define CSR_HSTATUS_NUMBER 0x600
#define CSR_HTVAL_NUMBER 0x643
#define CSR_HTINST_NUMBER 0x64a

#define EID_SSE 0x535345
#define FID_SSE_COMPLETE 6

#endif
