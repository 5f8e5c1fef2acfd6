//! The macro that turns the list into types and data.

/// See `list.rs`, its only use.
macro_rules! csrs {
    (
        own { $(
            $(#[doc = $odoc:literal])*
            $OWN:ident $onum:literal $own:ident needs[$($oneed:ident)*] $(or[$($oor:ident)*])? gates[$($ogate:expr),*] $orule:expr => $oeff:expr,
                $(virt $ovirt:ident,)? { $($oname:ident $ohi:literal $(.. $olo:literal)? $ofdoc:literal;)* }
        )* }
        view { $(
            $(#[doc = $vdoc:literal])*
            $VIEW:ident $vnum:literal $view:ident $kind:ident needs[$($vneed:ident)*] gates[$($vgate:expr),*]
                $(virt $vvirt:ident,)? { $($vname:ident $vhi:literal $(.. $vlo:literal)? $vfdoc:literal;)* }
        )* }
        array { $(
            $(#[doc = $adoc:literal])*
            $ARRAY:ident $anum:literal $array:ident $akind:ident needs[$($aneed:ident)*] gates $agate:ident
                [$($ai:literal)*] { $($aname:ident $ahi:literal $(.. $alo:literal)? $afdoc:literal;)* }
        )* }
        state { $($(#[$sattr:meta])* $state:ident: $sty:ty,)* }
    ) => {
        /// A register with state of its own.
        #[allow(non_camel_case_types, missing_docs)]
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum Reg { $($own,)* }

        /// A register that shows the state of others.
        #[allow(missing_docs)]
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum View { $($kind,)* $($akind,)* }

        $( $(#[doc = $odoc])* pub const $OWN: u16 = $onum; )*
        $( $(#[doc = $vdoc])* pub const $VIEW: u16 = $vnum; )*
        $( $(#[doc = $adoc])* #[doc = " The first of the run; add the index."] pub const $ARRAY: u16 = $anum; )*

        /// Masks of the fields, by register.
        #[allow(missing_docs)]
        pub mod field {
            $( pub mod $own { $( pub const $oname: u64 = super::mask($ohi, csrs!(@lo $ohi $($olo)?)); )* } )*
            $( pub mod $view { $( pub const $vname: u64 = super::mask($vhi, csrs!(@lo $vhi $($vlo)?)); )* } )*
            $( pub mod $array { $( pub const $aname: u64 = super::mask($ahi, csrs!(@lo $ahi $($alo)?)); )* } )*
            const fn mask(hi: u32, lo: u32) -> u64 { (u64::MAX >> (63 - (hi - lo))) << lo }
        }

        /// All privileged state of a hart that CSR instructions, traps and returns read and write. Plain data; registers
        /// with bits that are computed when read (mstatus.SD, mip, counters) hold only what is stored, see their docs.
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub struct Csrs {
            $( $(#[doc = $odoc])* pub $own: u64, )*
            $( $(#[$sattr])* pub $state: $sty, )*
        }

        impl Csrs {
            /// The stored bits of an own register.
            #[inline(always)]
            pub fn reg(&self, reg: Reg) -> u64 {
                match reg { $( Reg::$own => self.$own, )* }
            }

            /// The stored bits of an own register, to change without any check or effect.
            #[inline(always)]
            pub fn reg_mut(&mut self, reg: Reg) -> &mut u64 {
                match reg { $( Reg::$own => &mut self.$own, )* }
            }

            /// Everything zero: not a legal reset state, see `new`.
            pub(crate) fn zeroed() -> Csrs {
                Csrs { $( $own: 0, )* $( $state: Default::default(), )* }
            }

            /// Every own register's name and stored bits, for `visit_state`.
            pub(crate) fn visit_own(&mut self, visit: &mut dyn FnMut(&'static str, &mut u64)) {
                $( visit(stringify!($own), &mut self.$own); )*
            }
        }

        const COUNT: usize = [$(stringify!($OWN),)* $(stringify!($VIEW),)* $($(stringify!($ai),)*)*].len();

        /// Every declared CSR.
        pub(super) static TABLE: &[super::Decl; COUNT] = &TABLE_WITH_VIRT;

        /// What the members of a run have in common.
        mod run {
            $( pub(super) mod $array {
                #[allow(unused_imports)] // a run without needs names no extension
                use crate::isa::{Ext, Isa};
                pub(in super::super) const NEEDS: Isa = Isa::of(&[$(Ext::$aneed),*]);
                pub(in super::super) const FIELDS: &[crate::table::Field] = &[$(crate::table::Field {
                    name: stringify!($aname), hi: $ahi, lo: csrs!(@lo $ahi $($alo)?), doc: $afdoc,
                }),*];
                pub(in super::super) const DOC: &str = concat!($($adoc),*);
            } )*
        }

        const fn decls() -> [super::Decl; COUNT] {
            [
                $( super::Decl {
                    number: $onum, name: stringify!($own), needs: Isa::of(&[$(Ext::$oneed),*]),
                    or: Isa::of(&[$($(Ext::$oor),*)?]), gates: &[$($ogate),*],
                    place: super::Place::Own(Reg::$own), rule: $orule, effects: $oeff,
                    virt: csrs!(@virt $onum $($ovirt)?),
                    fields: &[$(super::Field { name: stringify!($oname), hi: $ohi, lo: csrs!(@lo $ohi $($olo)?), doc: $ofdoc }),*],
                    doc: concat!($($odoc),*),
                }, )*
                $( super::Decl {
                    number: $vnum, name: stringify!($view), needs: Isa::of(&[$(Ext::$vneed),*]),
                    or: Isa::of(&[]), gates: &[$($vgate),*],
                    place: super::Place::View(View::$kind, 0), rule: super::Rule::Any, effects: Effects::NONE,
                    virt: csrs!(@virt $vnum $($vvirt)?),
                    fields: &[$(super::Field { name: stringify!($vname), hi: $vhi, lo: csrs!(@lo $vhi $($vlo)?), doc: $vfdoc }),*],
                    doc: concat!($($vdoc),*),
                }, )*
                $($( super::Decl {
                    number: $anum + $ai, name: concat!(stringify!($array), stringify!($ai)),
                    needs: run::$array::NEEDS, or: Isa::of(&[]), gates: $agate($ai),
                    place: super::Place::View(View::$akind, $ai), rule: super::Rule::Any, effects: Effects::NONE,
                    virt: $anum + $ai, fields: run::$array::FIELDS, doc: run::$array::DOC,
                }, )*)*
            ]
        }

        /// The lines, with `virt` turned from numbers into table indexes.
        static TABLE_WITH_VIRT: [super::Decl; COUNT] = {
            let mut decls = decls();
            let mut i = 0;
            while i < COUNT {
                let mut j = 0;
                while decls[j].number != decls[i].virt {
                    j += 1;
                }
                decls[i].virt = j as u16;
                i += 1;
            }
            decls
        };
    };
    (@lo $hi:literal) => { $hi };
    (@lo $hi:literal $lo:literal) => { $lo };
    (@virt $num:literal) => { $num };
    (@virt $num:literal $virt:ident) => { $virt };
}
