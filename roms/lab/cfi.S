# hyp.S with landing pads (Zicfilp) in every mode and an indirect jump to one in each: an event may come between the jump and the pad, when
# the hart expects one, and must find it expecting one afterwards. Needs -cpu max,zicfilp=on.
    .equ CFI, 1
    .include "lab/hyp.S"
