//! Extension and function ids that more than their own extension's file needs.

/// "Supervisor Software Events Extension".
pub mod sse {
    /// The extension id.
    pub const EID: u64 = 0x53_5345;
    /// `sbi_sse_read_attrs`.
    pub const READ_ATTRS: u64 = 0;
    /// `sbi_sse_write_attrs`.
    pub const WRITE_ATTRS: u64 = 1;
    /// `sbi_sse_register`.
    pub const REGISTER: u64 = 2;
    /// `sbi_sse_unregister`.
    pub const UNREGISTER: u64 = 3;
    /// `sbi_sse_enable`.
    pub const ENABLE: u64 = 4;
    /// `sbi_sse_disable`.
    pub const DISABLE: u64 = 5;
    /// `sbi_sse_complete`.
    pub const COMPLETE: u64 = 6;
    /// `sbi_sse_inject`.
    pub const INJECT: u64 = 7;
    /// `sbi_sse_hart_unmask`.
    pub const HART_UNMASK: u64 = 8;
    /// `sbi_sse_hart_mask`.
    pub const HART_MASK: u64 = 9;
}

/// "Hart State Management Extension".
pub mod hsm {
    /// The extension id.
    pub const EID: u64 = 0x48_534d;
    /// `sbi_hart_start`.
    pub const HART_START: u64 = 0;
    /// `sbi_hart_stop`.
    pub const HART_STOP: u64 = 1;
    /// `sbi_hart_get_status`.
    pub const HART_GET_STATUS: u64 = 2;
    /// `sbi_hart_suspend`.
    pub const HART_SUSPEND: u64 = 3;
}
