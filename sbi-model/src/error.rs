//! Error codes.

/// What a call returns in a0 when it fails (SBI, "Binary Encoding", standard SBI errors).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i64)]
pub enum SbiError {
    /// Failed.
    Failed = -1,
    /// Not supported: unknown extension or function, or a feature this machine has not.
    NotSupported = -2,
    /// Invalid parameter(s).
    InvalidParam = -3,
    /// Denied or not allowed.
    Denied = -4,
    /// Invalid address(es).
    InvalidAddress = -5,
    /// Already available.
    AlreadyAvailable = -6,
    /// Already started.
    AlreadyStarted = -7,
    /// Already stopped.
    AlreadyStopped = -8,
    /// Shared memory not available.
    NoShmem = -9,
    /// Not in the right state.
    InvalidState = -10,
    /// The range is bad.
    BadRange = -11,
    /// Timed out.
    Timeout = -12,
    /// Input or output failed.
    Io = -13,
    /// Denied because locked.
    DeniedLocked = -14,
}

impl SbiError {
    /// Every error, from -1 down.
    pub const ALL: [SbiError; 14] = [
        SbiError::Failed,
        SbiError::NotSupported,
        SbiError::InvalidParam,
        SbiError::Denied,
        SbiError::InvalidAddress,
        SbiError::AlreadyAvailable,
        SbiError::AlreadyStarted,
        SbiError::AlreadyStopped,
        SbiError::NoShmem,
        SbiError::InvalidState,
        SbiError::BadRange,
        SbiError::Timeout,
        SbiError::Io,
        SbiError::DeniedLocked,
    ];

    /// The value for a0.
    pub const fn code(self) -> u64 {
        self as i64 as u64
    }

    /// The specification's name.
    pub const fn name(self) -> &'static str {
        match self {
            SbiError::Failed => "SBI_ERR_FAILED",
            SbiError::NotSupported => "SBI_ERR_NOT_SUPPORTED",
            SbiError::InvalidParam => "SBI_ERR_INVALID_PARAM",
            SbiError::Denied => "SBI_ERR_DENIED",
            SbiError::InvalidAddress => "SBI_ERR_INVALID_ADDRESS",
            SbiError::AlreadyAvailable => "SBI_ERR_ALREADY_AVAILABLE",
            SbiError::AlreadyStarted => "SBI_ERR_ALREADY_STARTED",
            SbiError::AlreadyStopped => "SBI_ERR_ALREADY_STOPPED",
            SbiError::NoShmem => "SBI_ERR_NO_SHMEM",
            SbiError::InvalidState => "SBI_ERR_INVALID_STATE",
            SbiError::BadRange => "SBI_ERR_BAD_RANGE",
            SbiError::Timeout => "SBI_ERR_TIMEOUT",
            SbiError::Io => "SBI_ERR_IO",
            SbiError::DeniedLocked => "SBI_ERR_DENIED_LOCKED",
        }
    }
}
