// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * A module for Linux that takes Supervisor Software Events (SBI 3.0, EID 0x535345), for kernels that do not know them: it registers and enables
 * events on each hart, signals them, counts what they interrupt, and can be as careless in its handler as kernels have been.
 * What it saw is in /sys/module/trapeze_sse/parameters/seen.
 */
#include <linux/module.h>
#include <linux/kthread.h>
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/uaccess.h>
#include <asm/hwcap.h>
#include <asm/cpufeature.h>
#include "sse.h"

static uint save = SAVE_SSTATUS | SAVE_STVEC | SAVE_HSTATUS | SAVE_HTVAL;
module_param(save, uint, 0444);
MODULE_PARM_DESC(save, "what the handler puts back: 1 sstatus, 2 stvec, 4 hstatus, 8 htval and htinst");
static uint fault = 1;
module_param(fault, uint, 0444);
MODULE_PARM_DESC(fault, "the handler reads an address that is not mapped, as one that copies a user's stack may: a page fault that the kernel mends");
static uint period_us;
module_param(period_us, uint, 0444);
MODULE_PARM_DESC(period_us, "each hart signals the next hart's software event every so many microseconds (0: never)");
static uint global_us;
module_param(global_us, uint, 0444);
MODULE_PARM_DESC(global_us, "the first hart signals the global software event every so many microseconds (0: never)");
static uint pmu;
module_param(pmu, uint, 0444);
MODULE_PARM_DESC(pmu, "a counter of each hart overflows every so many instructions (0: never)");

#define FID_READ_ATTRS 0
#define FID_WRITE_ATTRS 1
#define FID_REGISTER 2
#define FID_UNREGISTER 3
#define FID_ENABLE 4
#define FID_DISABLE 5
#define FID_INJECT 7
#define FID_UNMASK 8
#define FID_MASK 9
#define ATTR_PREFERRED_HART 3

#define EVENT_PMU 0x10000u
#define EVENT_LOCAL 0xffff0000u
#define EVENT_GLOBAL 0xffff8000u

#define EID_PMU 0x504d55
#define PMU_NUM_COUNTERS 0
#define PMU_CONFIG_MATCHING 2
#define PMU_START 3
#define PMU_STOP 4
#define PMU_INSTRUCTIONS 2 /* hardware event 2 */
#define PMU_FLAG_CLEAR_VALUE 2
#define PMU_FLAG_SET_INIT_VALUE 1

/* The kernel's trap handler looks at the bit above the size of a stack to see an overflow: a stack is the lower half of its alignment. */
#define STACK_ORDER (THREAD_SIZE_ORDER + 1)

struct sse_context {
	u64 stack, sp, task, gp, stvec, save;	/* CTX_* of sse.h */
	u32 event;
	unsigned long pages;
	u64 count, user, kernel, world, guest, faults, errors;
	u64 sepc, sstatus, hstatus;	/* of the last delivery */
};

struct sse_hart {
	bool on;
	unsigned long hart;
	long counter;		/* of the PMU, or -1 */
	struct sse_context event[3];
	struct task_struct *injector;
};

enum { LOCAL, GLOBAL, PMU };

static struct sse_hart *harts;
static u64 kernel_stvec, kernel_gp;
static bool have_h;

asmlinkage void sse_entry(void);

struct answer { long error, value; };

static noinline struct answer call(long eid, long fid, u64 a, u64 b, u64 c, u64 d, u64 e)
{
	register u64 a0 asm("a0") = a;
	register u64 a1 asm("a1") = b;
	register u64 a2 asm("a2") = c;
	register u64 a3 asm("a3") = d;
	register u64 a4 asm("a4") = e;
	register long a6 asm("a6") = fid;
	register long a7 asm("a7") = eid;

	asm volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a3), "r"(a4), "r"(a6), "r"(a7) : "memory");
	return (struct answer){ a0, a1 };
}

static long sse(long fid, u64 a, u64 b, u64 c)
{
	return call(EID_SSE, fid, a, b, c, 0, 0).error;
}

static void counter_start(long counter)
{
	call(EID_PMU, PMU_START, counter, 1, PMU_FLAG_SET_INIT_VALUE, -(u64)pmu, 0);
}

/* From sse_entry, on the event's own stack, with interrupts off. frame is FRAME_* of sse.h. */
asmlinkage void sse_event(struct sse_context *c, u64 *frame);
asmlinkage void sse_event(struct sse_context *c, u64 *frame)
{
	u64 sepc = frame[FRAME_SEPC / 8], sstatus = frame[FRAME_SSTATUS / 8], hstatus = frame[FRAME_HSTATUS / 8], nothing;
	/* KVM's guests here have the lower half of the addresses, and the kernel the upper one. Between them only KVM has another stvec. */
	bool upper = (s64)sepc < 0, kernel = upper && (sstatus & SR_SPP), kvm = frame[FRAME_STVEC / 8] != c->stvec;
	struct sse_hart *hart = &harts[raw_smp_processor_id()];

	if (c->event == EVENT_PMU && hart->counter >= 0)
		call(EID_PMU, PMU_STOP, hart->counter, 1, 0, 0, 0);
	c->count++;
	c->sepc = sepc;
	c->sstatus = sstatus;
	c->hstatus = hstatus;
	if (kernel && (kvm || (hstatus & HSTATUS_SPV)))
		c->world++;
	else if (kernel)
		c->kernel++;
	else if (kvm)
		c->guest++;
	else
		c->user++;
	if (fault) {
		if (copy_from_kernel_nofault(&nothing, (void *)-4096L, sizeof(nothing)))
			c->faults++;
		else
			c->errors++;
	}
	if (c->event == EVENT_PMU && hart->counter >= 0)
		counter_start(hart->counter);
}

static int sleeper(void *unused)
{
	while (!kthread_should_stop()) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (!kthread_should_stop())
			schedule();
		__set_current_state(TASK_RUNNING);
	}
	return 0;
}

static int injector(void *cpu_)
{
	unsigned long cpu = (unsigned long)cpu_, own = harts[cpu].hart, next = own, n = 0;
	unsigned long i = cpu;

	do {
		i = (i + 1) % nr_cpu_ids;
		if (harts[i].on) {
			next = harts[i].hart;
			break;
		}
	} while (i != cpu);
	while (!kthread_should_stop()) {
		uint us = period_us ? period_us : global_us;

		usleep_range(us, us + 1);
		if (period_us && sse(FID_INJECT, EVENT_LOCAL, next, 0))
			harts[cpu].event[LOCAL].errors++;
		n += us;
		if (global_us && n >= global_us && harts[cpu].event[GLOBAL].task) {
			n = 0;
			if (sse(FID_INJECT, EVENT_GLOBAL, own, 0))
				harts[cpu].event[GLOBAL].errors++;
		}
	}
	return 0;
}

static void begin_event(struct sse_hart *h, int which)
{
	struct sse_context *c = &h->event[which];
	long error;

	if (!c->stack)
		return;
	error = sse(FID_REGISTER, c->event, (u64)sse_entry, (u64)c);
	if (!error)
		error = sse(FID_ENABLE, c->event, 0, 0);
	if (error) {
		pr_err("trapeze_sse: hart %lu: event %#x: error %ld\n", h->hart, c->event, error);
		c->errors++;
	}
}

/* On each hart. A local event's preferred hart is the hart's own id; firmware writes it where the stack ends, which is not in use yet. */
static void begin_hart(void *unused)
{
	struct sse_hart *h = &harts[smp_processor_id()];
	u64 *attribute = (u64 *)h->event[LOCAL].pages;
	long error = call(EID_SSE, FID_READ_ATTRS, EVENT_LOCAL, ATTR_PREFERRED_HART, 1, __pa(attribute), 0).error;

	h->counter = -1;
	if (error) {
		pr_err("trapeze_sse: sbi_sse_read_attrs: error %ld\n", error);
		return;
	}
	h->hart = *attribute;
	begin_event(h, LOCAL);
	begin_event(h, GLOBAL);
	if (pmu) {
		long n = call(EID_PMU, PMU_NUM_COUNTERS, 0, 0, 0, 0, 0).value;
		struct answer a = call(EID_PMU, PMU_CONFIG_MATCHING, 3, n > 3 ? (1ul << (n - 3)) - 1 : 0, PMU_FLAG_CLEAR_VALUE, PMU_INSTRUCTIONS, 0);

		begin_event(h, PMU);
		if (a.error)
			pr_err("trapeze_sse: hart %lu: no counter for instructions: error %ld\n", h->hart, a.error);
		else
			h->counter = a.value;
	}
	sse(FID_UNMASK, 0, 0, 0);
	if (h->counter >= 0)
		counter_start(h->counter);
	h->on = true;
}

static void end_hart(void *unused)
{
	struct sse_hart *h = &harts[smp_processor_id()];
	int i;

	if (h->counter >= 0)
		call(EID_PMU, PMU_STOP, h->counter, 1, 1, 0, 0);
	sse(FID_MASK, 0, 0, 0);
	for (i = 0; i < 3; i++)
		if (h->event[i].stack) {
			sse(FID_DISABLE, h->event[i].event, 0, 0);
			sse(FID_UNREGISTER, h->event[i].event, 0, 0);
		}
}

static int seen(char *out, const struct kernel_param *unused)
{
	static const char *const names[] = { "local", "global", "pmu" };
	int n = 0, cpu, i;

	for_each_online_cpu(cpu)
		for (i = 0; i < 3; i++) {
			struct sse_context *c = &harts[cpu].event[i];

			if (!c->stack)
				continue;
			n += scnprintf(out + n, PAGE_SIZE - n,
				       "hart %lu %s: %llu events in user %llu, kernel %llu, KVM's change of worlds %llu, guest %llu; %llu faults, %llu errors; last sepc %#llx sstatus %#llx hstatus %#llx\n",
				       harts[cpu].hart, names[i], c->count, c->user, c->kernel, c->world, c->guest, c->faults, c->errors,
				       c->sepc, c->sstatus, c->hstatus);
		}
	return n;
}
static const struct kernel_param_ops seen_ops = { .get = seen };
module_param_cb(seen, &seen_ops, NULL, 0444);

static void release(void)
{
	int cpu, i;

	for_each_online_cpu(cpu)
		for (i = 0; i < 3; i++) {
			struct sse_context *c = &harts[cpu].event[i];

			if (c->task)
				kthread_stop((struct task_struct *)c->task);
			if (c->pages)
				free_pages(c->pages, STACK_ORDER);
		}
	kfree(harts);
}

/* A task of the hart's own for each event: what the handler's traps write to the current task's structure, they write there. */
static int prepare(int cpu, struct sse_context *c, u32 event)
{
	struct task_struct *task = kthread_create(sleeper, NULL, "sse/%d", cpu);

	if (IS_ERR(task))
		return PTR_ERR(task);
	kthread_bind(task, cpu);
	wake_up_process(task);
	c->task = (u64)task;
	c->pages = __get_free_pages(GFP_KERNEL | __GFP_ZERO, STACK_ORDER);
	if (!c->pages)
		return -ENOMEM;
	c->stack = c->pages + THREAD_SIZE;
	c->gp = kernel_gp;
	c->stvec = kernel_stvec;
	c->save = save | (have_h ? HAVE_H : 0);
	c->event = event;
	return 0;
}

static int __init sse_init(void)
{
	int cpu, error = 0;

	have_h = riscv_isa_extension_available(NULL, h);
	kernel_stvec = csr_read(CSR_STVEC);
	asm volatile("mv %0, gp" : "=r"(kernel_gp));
	if (call(0x10, 3, EID_SSE, 0, 0, 0, 0).value == 0)
		return -EOPNOTSUPP;
	harts = kcalloc(nr_cpu_ids, sizeof(*harts), GFP_KERNEL);
	if (!harts)
		return -ENOMEM;
	for_each_online_cpu(cpu) {
		struct sse_hart *h = &harts[cpu];

		error = prepare(cpu, &h->event[LOCAL], EVENT_LOCAL);
		if (!error && global_us && cpu == cpumask_first(cpu_online_mask))
			error = prepare(cpu, &h->event[GLOBAL], EVENT_GLOBAL);
		if (!error && pmu)
			error = prepare(cpu, &h->event[PMU], EVENT_PMU);
		if (error) {
			release();
			return error;
		}
	}
	/* The tasks must have run once, to be their harts'. */
	msleep(20);
	on_each_cpu(begin_hart, NULL, 1);
	for_each_online_cpu(cpu) {
		struct task_struct *task;

		if (!period_us && (!global_us || cpu != cpumask_first(cpu_online_mask)))
			continue;
		task = kthread_create(injector, (void *)(unsigned long)cpu, "sse-inject/%d", cpu);
		if (IS_ERR(task))
			continue;
		kthread_bind(task, cpu);
		wake_up_process(task);
		harts[cpu].injector = task;
	}
	pr_info("trapeze_sse: %u harts, handler puts back %#x, stvec %#llx\n", num_online_cpus(), save, kernel_stvec);
	return 0;
}

static void __exit sse_exit(void)
{
	int cpu;

	for_each_online_cpu(cpu)
		if (harts[cpu].injector)
			kthread_stop(harts[cpu].injector);
	on_each_cpu(end_hart, NULL, 1);
	release();
}

module_init(sse_init);
module_exit(sse_exit);
MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("Supervisor Software Events for kernels without them");
