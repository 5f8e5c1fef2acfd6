# Drives virtio transport 0 as a block device: prints the first byte of sectors 0 and 3, writes sector 3 full of 'W', flushes, reads it back
# and prints its first byte; powers off. "Virtual I/O Device (VIRTIO) 1.2", 4.2 (MMIO), 2.7 (split virtqueues), 5.2 (block device).
    .include "rom.inc"
    .equ DEVICE, 0x10001000
    .equ MEM, 0x80100000            # descriptors, then the rings a page each, then request, data, status
    .equ AVAIL, MEM + 0x1000
    .equ USED, MEM + 0x2000
    .equ REQUEST, MEM + 0x3000
    .equ DATA, MEM + 0x4000
    .equ STATUS, MEM + 0x5000
    .equ NEXT, 1
    .equ WRITE, 2                   # the device writes this descriptor's buffer
    .equ READ_SECTOR, 0
    .equ WRITE_SECTOR, 1
    .equ FLUSH, 4

# Writes a 32-bit register of the transport.
.macro REG offset, value
    li      t0, \value
    sw      t0, \offset(s0)
.endm

# Fills descriptor \i; \length is 0 for none of its own.
.macro DESC i, address, length, flags, next
    li      t0, \address
    sd      t0, 16 * \i(s1)
    li      t0, \length
    sw      t0, 16 * \i + 8(s1)
    li      t0, \flags | \next << 16
    sw      t0, 16 * \i + 12(s1)
.endm

    .section .text.init
    .globl _start
_start:
    li      s0, DEVICE
    li      s1, MEM
    lw      t0, 0x008(s0)           # DeviceID
    li      t1, 2
    bne     t0, t1, bad
    REG     0x070, 0                # Status: reset, then ACKNOWLEDGE, DRIVER
    REG     0x070, 3
    REG     0x024, 0                # DriverFeatures: FLUSH (bit 9), then VERSION_1 (bit 32)
    REG     0x020, 1 << 9
    REG     0x024, 1
    REG     0x020, 1
    REG     0x070, 11               # FEATURES_OK
    lw      t0, 0x070(s0)
    andi    t0, t0, 8
    beqz    t0, bad
    REG     0x030, 0                # queue 0 of eight descriptors
    REG     0x038, 8
    REG     0x080, MEM
    REG     0x090, AVAIL
    REG     0x0a0, USED
    REG     0x044, 1
    REG     0x070, 15               # DRIVER_OK

    li      a0, READ_SECTOR
    li      a1, 0
    jal     request
    jal     show
    li      a0, READ_SECTOR
    li      a1, 3
    jal     request
    jal     show
    li      t0, DATA
    li      t1, 0x5757575757575757
    addi    t2, t0, 512
1:  sd      t1, 0(t0)
    addi    t0, t0, 8
    bltu    t0, t2, 1b
    li      a0, WRITE_SECTOR
    li      a1, 3
    jal     request
    li      a0, FLUSH
    li      a1, 0
    jal     request
    li      t0, DATA
    sd      zero, 0(t0)
    li      a0, READ_SECTOR
    li      a1, 3
    jal     request
    jal     show
    POWER_OFF

bad:
    li      t0, FINISHER
    li      t1, 0x3333 | 1 << 16
    sw      t1, 0(t0)
1:  wfi
    j       1b

# Prints the first byte of DATA.
show:
    li      t0, DATA
    lbu     t0, 0(t0)
    li      t1, UART
    sb      t0, 0(t1)
    ret

# Type a0, sector a1; waits, and fails unless the device says OK.
request:
    li      t1, REQUEST
    sw      a0, 0(t1)
    sw      zero, 4(t1)
    sd      a1, 8(t1)
    DESC    0, REQUEST, 16, NEXT, 1
    DESC    1, DATA, 512, NEXT | WRITE, 2
    DESC    2, STATUS, 1, WRITE, 0
    li      t0, WRITE_SECTOR
    bne     a0, t0, 1f
    DESC    1, DATA, 512, NEXT, 2   # the device reads what it is to write
1:  li      t0, FLUSH
    bne     a0, t0, 2f
    DESC    0, REQUEST, 16, NEXT, 2 # no data
2:  li      t1, STATUS
    li      t0, 0xff
    sb      t0, 0(t1)
    li      t1, AVAIL               # ring[idx % 8] is descriptor 0
    lhu     t2, 2(t1)
    addi    t2, t2, 1
    fence   w, w
    sh      t2, 2(t1)
    fence
    REG     0x050, 0                # QueueNotify
    li      t1, USED
3:  lhu     t0, 2(t1)
    slli    t3, t2, 48
    srli    t3, t3, 48
    bne     t0, t3, 3b
    fence   r, r
    li      t1, STATUS
    lbu     t0, 0(t1)
    bnez    t0, bad
    ret
