// What the VMM and its guest share: addresses, and the words of a hart's area.
#ifndef GUEST_H
#define GUEST_H

#define RAM 0x80000000
#define RAM_SIZE 0x1000000
#define AREAS 0x10000     // offset in RAM of hart 0's area, the others behind it
#define AREA_SIZE 0x1000
#define FRESH 0x400000    // offset in RAM of the pages that come and go, those of hart 0 first
#define FRESH_PAGES 64    // of each hart

#define DEVICE 0x10000000 // nothing is mapped there
#define DEVICE_ROUND 0    // store: the round that begins
#define DEVICE_ECHO 8     // load: 3 * round + 1
#define DEVICE_DISCARD 16 // store: the fresh pages are given back
#define DEVICE_FOUND 24   // stores: a value that is wrong, what it should be, and which it is: an integer register's number or WRONG_*
#define DEVICE_EXPECTED 32
#define DEVICE_WRONG 40
#define DEVICE_END 48     // store: number of timer interrupts; the hart is done

#define WRONG_F 32        // + number of a floating-point register
#define WRONG_TRAP 64     // found: scause, expected: sepc
#define WRONG_ECHO 65
#define WRONG_FRESH 66
#define WRONG_KEPT 67
#define WRONG_SEPC 68
#define WRONG_SSTATUS 69
#define WRONG_STVEC 70
#define WRONG_SATP 71
#define WRONG_SIE 72

// The area of a hart; sscratch points to it.
#define AREA_START 0      // x1 to x31 when a block begins, each at 8 * its number
#define AREA_EXPECTED 256 // when it ends
#define AREA_SAVED 512    // and as they were at the last trap
#define AREA_F 768        // f0 to f31
#define AREA_ROUNDS 1024
#define AREA_TICKS 1032   // of the guest's timer
#define AREA_TIMERS 1040  // interrupts taken
#define AREA_ROUND 1048
#define AREA_SSTATUS 1056 // sstatus with which the block was entered
#define AREA_FRESH 1064   // address of the hart's fresh pages

#endif
