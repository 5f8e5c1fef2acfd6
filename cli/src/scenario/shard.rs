//! The part of the work that this process does when several share it.

use crate::exit::CliError;

/// Part `index` of `count`, from 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shard {
    /// Which part.
    pub index: u64,
    /// Of how many.
    pub count: u64,
}

impl Shard {
    /// From `--shard I/N`, which counts from 1, or else from the environment of a Slurm array task or of a pod of a Kubernetes indexed job.
    pub fn choose(option: Option<&str>, env: impl Fn(&str) -> Option<String>) -> Result<Shard, CliError> {
        if let Some(text) = option {
            let parsed = text.split_once('/').and_then(|(i, n)| Some((i.trim().parse::<u64>().ok()?, n.trim().parse().ok()?)));
            return match parsed {
                Some((i, n)) if (1..=n).contains(&i) => Ok(Shard { index: i - 1, count: n }),
                _ => Err(CliError::usage(format!("option --shard: '{text}'"), "give I/N with I from 1 to N, for example 2/5")),
            };
        }
        let number = |name: &str| match env(name) {
            None => Ok(None),
            Some(t) => t.trim().parse::<u64>().map(Some).map_err(|_| {
                CliError::usage(format!("environment variable {name}: '{t}' is no number"), "unset it, or give --shard I/N")
            }),
        };
        if let Some(id) = number("SLURM_ARRAY_TASK_ID")? {
            // An array may begin anywhere and have steps: 10-18:2 is five tasks.
            let min = number("SLURM_ARRAY_TASK_MIN")?.unwrap_or(0);
            let step = number("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
            let count = number("SLURM_ARRAY_TASK_COUNT")?;
            return Shard::of(id.checked_sub(min).map(|i| i / step), count, "SLURM_ARRAY_TASK_COUNT");
        }
        if let Some(index) = number("JOB_COMPLETION_INDEX")? {
            return Shard::of(Some(index), number("JOB_COMPLETIONS")?, "JOB_COMPLETIONS");
        }
        Ok(Shard { index: 0, count: 1 })
    }

    fn of(index: Option<u64>, count: Option<u64>, name: &str) -> Result<Shard, CliError> {
        let remedy = format!("set {name} to the number of tasks (a pod's is its job's 'completions'), or give --shard I/N");
        match (index, count) {
            (Some(index), Some(count)) if index < count => Ok(Shard { index, count }),
            (_, None) => Err(CliError::usage(format!("this is one of several tasks, but {name} is not set"), remedy)),
            _ => Err(CliError::usage(format!("this task's number is not below {name}"), remedy)),
        }
    }

    /// Whether this part has the `n`th piece of work.
    pub fn has(&self, n: usize) -> bool {
        n as u64 % self.count == self.index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(option: Option<&str>, env: &[(&str, &str)]) -> Result<Shard, CliError> {
        Shard::choose(option, |name| env.iter().find(|e| e.0 == name).map(|e| e.1.to_owned()))
    }

    #[test]
    fn the_option_counts_from_1_and_wins_over_the_environment() {
        let s = from(Some("2/3"), &[("JOB_COMPLETION_INDEX", "0"), ("JOB_COMPLETIONS", "9")]).unwrap();
        assert_eq!(s, Shard { index: 1, count: 3 });
        for bad in ["0/3", "4/3", "1", "a/b", "1/0", "-1/3"] {
            assert!(from(Some(bad), &[]).is_err(), "{bad}");
        }
    }

    #[test]
    fn slurm_arrays_may_begin_anywhere_and_have_steps() {
        let env = [
            ("SLURM_ARRAY_TASK_ID", "14"),
            ("SLURM_ARRAY_TASK_MIN", "10"),
            ("SLURM_ARRAY_TASK_STEP", "2"),
            ("SLURM_ARRAY_TASK_COUNT", "5"),
        ];
        assert_eq!(from(None, &env).unwrap(), Shard { index: 2, count: 5 });
        assert!(from(None, &env[..1]).is_err());
    }

    #[test]
    fn indexed_jobs_need_their_number_of_completions() {
        assert_eq!(from(None, &[("JOB_COMPLETION_INDEX", "3"), ("JOB_COMPLETIONS", "4")]).unwrap(), Shard { index: 3, count: 4 });
        for env in [&[("JOB_COMPLETION_INDEX", "3")][..], &[("JOB_COMPLETION_INDEX", "4"), ("JOB_COMPLETIONS", "4")]] {
            assert!(from(None, env).unwrap_err().to_string().contains("JOB_COMPLETIONS"));
        }
        assert!(from(None, &[("JOB_COMPLETION_INDEX", "x")]).is_err());
    }

    #[test]
    fn shards_share_all_work_and_none_twice() {
        for n in 0..20 {
            assert_eq!((0..3).filter(|i| Shard { index: *i, count: 3 }.has(n)).count(), 1);
        }
    }
}
