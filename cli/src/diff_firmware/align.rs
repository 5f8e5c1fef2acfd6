//! Two runs' events side by side, by what was asked and in what order. Time plays no part.

use super::events::Event;

/// A pair, or an event that the other run has not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pair {
    /// The same was asked: places in the first and the second.
    Both(usize, usize),
    /// Only in the first.
    First(usize),
    /// Only in the second.
    Second(usize),
}

/// How far ahead an event is looked for.
const WINDOW: usize = 512;
/// Events in a row that must agree for a place to count as found again.
const RUN: usize = 3;

/// Aligns the events of one hart.
pub fn align(a: &[Event], b: &[Event]) -> Vec<Pair> {
    let mut pairs = Vec::with_capacity(a.len().max(b.len()));
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        if a[i].key == b[j].key {
            pairs.push(Pair::Both(i, j));
            (i, j) = (i + 1, j + 1);
            continue;
        }
        let (di, dj) = again(&a[i..], &b[j..]).unwrap_or((1, 1));
        pairs.extend((i..i + di).map(Pair::First));
        pairs.extend((j..j + dj).map(Pair::Second));
        (i, j) = (i + di, j + dj);
    }
    pairs.extend((i..a.len()).map(Pair::First));
    pairs.extend((j..b.len()).map(Pair::Second));
    pairs
}

/// How many events of each to pass over so that the two agree again, as few as possible.
fn again(a: &[Event], b: &[Event]) -> Option<(usize, usize)> {
    let agree =
        |a: &[Event], b: &[Event]| !a.is_empty() && !b.is_empty() && a.iter().zip(b).take(RUN).all(|(x, y)| x.key == y.key);
    (1..WINDOW.min(a.len() + b.len()))
        .find_map(|d| (0..=d).map(|di| (di, d - di)).find(|&(di, dj)| di < a.len() && dj < b.len() && agree(&a[di..], &b[dj..])))
}

#[cfg(test)]
mod tests {
    use super::super::events::Key;
    use super::*;
    use emu_csr::Mode;

    fn events(keys: &[u64]) -> Vec<Event> {
        let event = |&k| Event { key: Key::Call(k, 0), instret: 0, pc: 0, from: Mode::HS, args: [0; 6], end: None };
        keys.iter().map(event).collect()
    }

    #[test]
    fn events_that_one_run_has_alone_do_not_shift_the_others() {
        use Pair::*;
        let (a, b) = (events(&[1, 2, 3, 4, 5]), events(&[1, 3, 4, 5, 6]));
        assert_eq!(align(&a, &b), [Both(0, 0), First(1), Both(2, 1), Both(3, 2), Both(4, 3), Second(4)]);
        assert_eq!(align(&b, &a), [Both(0, 0), Second(1), Both(1, 2), Both(2, 3), Both(3, 4), First(4)]);
    }

    #[test]
    fn an_event_in_place_of_another_is_passed_over_in_both() {
        use Pair::*;
        let (a, b) = (events(&[1, 7, 3, 4, 5]), events(&[1, 8, 3, 4, 5]));
        assert_eq!(align(&a, &b), [Both(0, 0), First(1), Second(1), Both(2, 2), Both(3, 3), Both(4, 4)]);
        assert_eq!(align(&events(&[1]), &events(&[2])), [First(0), Second(0)]);
        assert_eq!(align(&[], &events(&[2])), [Second(0)]);
    }
}
