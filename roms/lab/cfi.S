# hyp.S with control-flow integrity: landing pads (Zicfilp) in every mode and an indirect jump to one in each; shadow stacks (Zicfiss), one a
# mode, which traps and world switches change, and a call in each mode that uses its own; double traps (Ssdbltrp) in HS-mode. An event may come
# between the jump and the pad, or between SSPUSH and SSPOPCHK, and must find ELP, ssp and SDT as they were. One more variant of the handler:
#   6  it takes a trap while SDT is set: a double trap, which is event 1 and nests
# Needs -cpu max,zicfilp=on,zicfiss=on,ssdbltrp=on.
    .equ CFI, 1
    .include "lab/hyp.S"
