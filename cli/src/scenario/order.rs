//! Results in the order of the list, whichever comes first: two runs of the same scenarios print the same lines.

use std::collections::{BTreeMap, VecDeque};

/// Holds results back until those before them have come.
pub struct InOrder<T> {
    /// Numbers to come, ascending.
    expected: VecDeque<usize>,
    held: BTreeMap<usize, T>,
}

impl<T> InOrder<T> {
    /// For results of these numbers, ascending. There may be others, which go before the next of these.
    pub fn new(expected: Vec<usize>) -> InOrder<T> {
        InOrder { expected: expected.into(), held: BTreeMap::new() }
    }

    /// Takes a result; gives those that nothing is missing before.
    pub fn put(&mut self, number: usize, result: T) -> Vec<T> {
        self.held.insert(number, result);
        let mut ready = Vec::new();
        while let Some(first) = self.held.first_entry() {
            match self.expected.front() {
                Some(next) if first.key() > next => break,
                Some(next) if first.key() == next => drop(self.expected.pop_front()),
                _ => {}
            }
            ready.push(first.remove());
        }
        ready
    }

    /// What is still held when no more comes.
    pub fn rest(self) -> impl Iterator<Item = T> {
        self.held.into_values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_out_in_order_and_none_is_lost() {
        let mut all = InOrder::new(vec![1, 2, 5, 7]);
        assert_eq!(all.put(2, "2"), Vec::<&str>::new());
        assert_eq!(all.put(4, "4"), Vec::<&str>::new());
        assert_eq!(all.put(1, "1"), ["1", "2", "4"]);
        assert_eq!(all.put(3, "3"), ["3"]);
        assert_eq!(all.put(7, "7"), Vec::<&str>::new());
        assert_eq!(all.rest().collect::<Vec<_>>(), ["7"]);
    }
}
