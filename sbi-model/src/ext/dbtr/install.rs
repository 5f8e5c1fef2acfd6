//! Installing and updating triggers from configurations in shared memory.

use emu_csr::triggers::TRIGGERS;
use emu_csr::triggers::fields::{kind_of, mode_bit};

use super::state::{MAPPED, NONE, SAVED, chained};
use super::{ENTRY, Failure};
use crate::call::Call;
use crate::error::SbiError;

/// trig_state of an installed trigger.
fn state_of(tdata1: u64) -> u64 {
    let enabled = |mode| tdata1 & mode_bit(kind_of(tdata1), mode) != 0;
    SAVED.into_iter().filter(|&(_, mode)| enabled(mode)).fold(MAPPED, |state, (saved, _)| state | saved)
}

/// The configurations in shared memory: word 0, and tdata1 to tdata3. All are read before anything is done.
fn configurations(c: &mut Call<'_, '_>) -> Result<(u64, Vec<[u64; 4]>), Failure> {
    let (at, count) = (c.dbtr().memory, c.args[0]);
    if at == NONE {
        return Err((SbiError::NoShmem, 0));
    }
    if count >= TRIGGERS as u64 {
        return Err((SbiError::BadRange, 0));
    }
    let word = |c: &Call<'_, '_>, i: u64, k: u64| c.read_word(at + i * ENTRY + k * 8).unwrap_or(0);
    Ok((at, (0..count).map(|i| [0, 1, 2, 3].map(|k| word(c, i, k))).collect()))
}

/// The first of `len` free triggers in a row.
fn free_run(state: &[u64; TRIGGERS], len: usize) -> Option<usize> {
    (0..=TRIGGERS.checked_sub(len)?).find(|&first| state[first..first + len].iter().all(|s| s & MAPPED == 0))
}

/// FID 3. A chain gets triggers in a row.
pub(super) fn install(c: &mut Call<'_, '_>) -> Result<(), Failure> {
    let (at, configs) = configurations(c)?;
    for (i, &[_, t1, t2, t3]) in (0..).zip(&configs) {
        c.check_trigger(&[t1, t2, t3]).map_err(|e| (e, i))?;
    }
    if configs.last().is_some_and(|last| chained(last[1])) {
        return Err((SbiError::InvalidParam, configs.len() as u64 - 1));
    }
    let mut state = c.dbtr().state;
    let mut places = Vec::with_capacity(configs.len());
    while places.len() < configs.len() {
        let first = places.len();
        let links = configs[first..].iter().take_while(|config| chained(config[1])).count();
        let run = free_run(&state, links + 1).ok_or((SbiError::Failed, first as u64))?;
        for k in 0..=links {
            state[run + k] = state_of(configs[first + k][1]);
            places.push(run + k);
        }
    }
    for ((i, config), &t) in (0..).zip(&configs).zip(&places) {
        c.write_trigger(t, [config[1], config[2], config[3]]);
        c.write_word(at + i * ENTRY, t as u64);
    }
    c.dbtr().state = state;
    c.route_breakpoints();
    Ok(())
}

/// FID 4.
pub(super) fn update(c: &mut Call<'_, '_>) -> Result<(), Failure> {
    let (_, configs) = configurations(c)?;
    for (i, &[t, t1, t2, t3]) in (0..).zip(&configs) {
        let t = usize::try_from(t).ok().filter(|&t| t < TRIGGERS).ok_or((SbiError::InvalidParam, i))?;
        if c.dbtr().state[t] & MAPPED == 0 {
            return Err((SbiError::Failed, i));
        }
        let old = c.caller().csr.triggers.data[t][0];
        if kind_of(t1) != kind_of(old) || chained(t1) != chained(old) {
            return Err((SbiError::InvalidParam, i));
        }
        c.check_trigger(&[t1, t2, t3]).map_err(|e| (e, i))?;
    }
    for &[t, t1, t2, t3] in &configs {
        let t = t as usize % TRIGGERS;
        c.dbtr().state[t] = state_of(t1);
        c.write_trigger(t, [t1, t2, t3]);
    }
    c.route_breakpoints();
    Ok(())
}
