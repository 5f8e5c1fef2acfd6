//! The host's fused multiply-add, where it has one.
#![allow(unsafe_code)]

macro_rules! fused {
    ($(#[$doc:meta])* $name:ident, $float:ty) => {
        $(#[$doc])*
        #[inline(always)]
        pub(super) fn $name(x: $float, y: $float, z: $float) -> Option<$float> {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "fma")]
                fn one(x: $float, y: $float, z: $float) -> $float {
                    x.mul_add(y, z)
                }
                // SAFETY: the processor has the feature that the function is compiled for.
                std::arch::is_x86_feature_detected!("fma").then(|| unsafe { one(x, y, z) })
            }
            #[cfg(any(target_arch = "aarch64", target_arch = "riscv64"))]
            {
                Some(x.mul_add(y, z))
            }
            #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
            {
                let _ = (x, y, z);
                None
            }
        }
    };
}

fused! {
    /// `x * y + z` rounded once to nearest even, if the host does that in one instruction. On x86 the processor is asked (the answer is
    /// cached by the standard library); a host without it gives `None` and callers take another way to the same result.
    fused_f64, f64
}

fused! {
    /// As [`fused_f64`], in single precision.
    fused_f32, f32
}
