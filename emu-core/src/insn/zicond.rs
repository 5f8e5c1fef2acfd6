//! Zicond: integer conditional operations.

use super::macros::{alu_rr, table};
use emu_csr::Ext::Zicond;

alu_rr! {
    CzeroEqz "czero.eqz" "0000111 bbbbb aaaaa 101 ddddd 0110011" &[Zicond], Alu, |a, b| if b == 0 { 0 } else { a };
    CzeroNez "czero.nez" "0000111 bbbbb aaaaa 111 ddddd 0110011" &[Zicond], Alu, |a, b| if b != 0 { 0 } else { a };
}

table!(RR);
