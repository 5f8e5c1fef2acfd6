//! What a leaf entry permits (Privileged ISA, "Virtual Address Translation Process"; Zicfiss, "Shadow Stack Memory Protection").

use super::kind::Kind;
use super::pte;
use super::refusal::Refusal;

/// Access rules of one stage for one access.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    /// What the access does.
    pub kind: Kind,
    /// The access is made as U-mode.
    pub user: bool,
    /// SUM of the status register that applies.
    pub sum: bool,
    /// MXR of the stage.
    pub mxr: bool,
}

/// What a leaf says to an access.
pub(super) enum Permit {
    /// It permits it.
    Yes,
    /// A page fault of the stage.
    Page(Refusal),
    /// An access fault: only where shadow stacks come into it.
    Access(Refusal),
}

impl Rules {
    /// Whether the leaf `pte` permits the access (steps 5 to 8 of the manual's algorithm).
    pub(super) fn permit(&self, pte: u64) -> Permit {
        if let Some(why) = self.user_refuses(pte) {
            return Permit::Page(why);
        }
        // Zicfiss, "Shadow Stack Memory Protection". Whatever only loads may read a shadow stack.
        if pte::is_shadow(pte) {
            return match self.kind {
                Kind::Load | Kind::Shadow => Permit::Yes,
                Kind::LoadExec => Permit::Page(Refusal::ShadowNotExecutable),
                Kind::Fetch | Kind::Store | Kind::Block => Permit::Access(Refusal::ShadowPage),
            };
        }
        let readable = pte & pte::R != 0 || (self.mxr && pte & pte::X != 0);
        let (permitted, why) = match self.kind {
            Kind::Fetch | Kind::LoadExec => (pte & pte::X != 0, Refusal::NotExecutable),
            Kind::Load | Kind::Block => (readable, Refusal::NotReadable),
            Kind::Store => (pte & pte::W != 0, Refusal::NotWritable),
            // A read-only page may be a shadow stack to copy on write; any other is a fatal mistake.
            Kind::Shadow if pte & (pte::W | pte::X) == 0 => (false, Refusal::ShadowOnReadOnly),
            Kind::Shadow => return Permit::Access(Refusal::ShadowElsewhere),
        };
        if permitted { Permit::Yes } else { Permit::Page(why) }
    }

    /// U, and SUM for a supervisor.
    fn user_refuses(&self, pte: u64) -> Option<Refusal> {
        match (self.user, pte & pte::U != 0) {
            (true, u) => (!u).then_some(Refusal::NotUser),
            (false, false) => None,
            // Supervisor on a user page: never to execute; HLVX is a load.
            (false, true) if self.kind == Kind::Fetch => Some(Refusal::SupervisorFetchesUser),
            (false, true) => (!self.sum).then_some(Refusal::UserWithoutSum),
        }
    }
}
