//! Zimop: may-be-operations, which write zero to rd until an extension gives them a meaning.

use super::macros::{alu_ri, alu_rr, table};
use emu_csr::Ext::Zimop;

alu_rr! {
    MopRr "mop.rr.N" "1n00nn1 bbbbb aaaaa 100 ddddd 1110011" &[Zimop], Alu, |a, b| 0;
}

alu_ri! {
    MopR "mop.r.N" "1n00nn0111nn aaaaa 100 ddddd 1110011" &[Zimop], R1, Alu, |a, b| 0;
}

table!(RR, RI);
