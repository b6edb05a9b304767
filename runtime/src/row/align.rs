//! Which element of a list has become which: the way back from a changed list to the stored one.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// Up to which product of two lengths a stretch is compared element by element with another, so
/// that the cost stays near linear in the length of the list.
const MAX_PAIRS: usize = 10_000;

/// An element of a list, as far as lists are aligned by it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element<'e> {
    /// The part of the element that this code knows, in canonical form.
    pub(super) text: &'e str,
    /// Its identity in the list, if it has one.
    pub(super) id: Option<Id<'e>>,
}

/// The identity of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Id<'e> {
    pub(super) text: &'e str,
    /// An element of another id is another element. That does not hold for the id of another row,
    /// which it may only refer to.
    pub(super) is_own: bool,
}

/// For each element of `after` the one of `before` that it was, if there is one. None is used twice.
///
/// `likeness` says how much two elements have in common.
pub(super) fn align(
    before: &[Element<'_>],
    after: &[Element<'_>],
    likeness: impl Fn(usize, usize) -> usize,
) -> Vec<Option<usize>> {
    let mut pairs = Pairs { of_after: vec![None; after.len()], is_used: vec![false; before.len()] };
    let whole = Stretch { before: (0, before.len()), after: (0, after.len()) };
    pairs.add_equal(before, after, whole);
    pairs.add_moved(before, after, |element| Some(element.text), false);
    pairs.add_moved(before, after, |element| element.id.map(|id| id.text), true);
    pairs.add_edited(before, after, likeness);
    pairs.of_after
}

struct Pairs {
    of_after: Vec<Option<usize>>,
    is_used: Vec<bool>,
}

/// A part of each list, as half-open ranges.
#[derive(Clone, Copy)]
struct Stretch {
    before: (usize, usize),
    after: (usize, usize),
}

impl Pairs {
    fn add(&mut self, before: usize, after: usize) {
        self.of_after[after] = Some(before);
        self.is_used[before] = true;
    }

    /// Equal elements in the same order: those at both ends, those that are unique in both lists,
    /// and between these the most that there are.
    fn add_equal(&mut self, before: &[Element<'_>], after: &[Element<'_>], whole: Stretch) {
        let inner = self.trim(before, after, whole);
        let mut from = (inner.before.0, inner.after.0);
        let anchors = anchors(before, after, inner);
        for (b, a) in anchors.into_iter().chain([(inner.before.1, inner.after.1)]) {
            let gap = Stretch { before: (from.0, b), after: (from.1, a) };
            let gap = self.trim(before, after, gap);
            for (b, a) in longest_common(before, after, gap) {
                self.add(b, a);
            }
            if b < inner.before.1 && a < inner.after.1 {
                self.add(b, a);
            }
            from = (b + 1, a + 1);
        }
    }

    /// Pairs what is equal at both ends of a stretch, and gives what is left between.
    fn trim(
        &mut self,
        before: &[Element<'_>],
        after: &[Element<'_>],
        mut stretch: Stretch,
    ) -> Stretch {
        let Stretch { before: b, after: a } = &mut stretch;
        while b.0 < b.1 && a.0 < a.1 && before[b.0].text == after[a.0].text {
            self.add(b.0, a.0);
            (b.0, a.0) = (b.0 + 1, a.0 + 1);
        }
        while b.0 < b.1 && a.0 < a.1 && before[b.1 - 1].text == after[a.1 - 1].text {
            self.add(b.1 - 1, a.1 - 1);
            (b.1, a.1) = (b.1 - 1, a.1 - 1);
        }
        stretch
    }

    /// Pairs the elements that have the same name in both lists, wherever they are; each only once
    /// if it is to be `unique`.
    fn add_moved<'e, N: Hash + Eq>(
        &mut self,
        before: &'e [Element<'e>],
        after: &'e [Element<'e>],
        name: impl Fn(&'e Element<'e>) -> Option<N>,
        unique: bool,
    ) {
        let mut named: HashMap<N, (VecDeque<usize>, usize)> = HashMap::new();
        for (index, element) in before.iter().enumerate() {
            if let Some(name) = name(element).filter(|_| unique || !self.is_used[index]) {
                named.entry(name).or_default().0.push_back(index);
            }
        }
        for element in after.iter().filter(|_| unique) {
            if let Some(named) = name(element).and_then(|name| named.get_mut(&name)) {
                named.1 += 1;
            }
        }
        for (index, element) in after.iter().enumerate() {
            let is_open = self.of_after[index].is_none();
            let Some(name) = name(element).filter(|_| is_open) else { continue };
            let Some((places, times)) = named.get_mut(&name) else { continue };
            if unique && (places.len() != 1 || *times != 1) {
                continue;
            }
            if let Some(place) = places.pop_front().filter(|&place| !self.is_used[place]) {
                self.add(place, index);
            }
        }
    }

    /// Pairs the elements that were changed at their place: those without a pair between two that
    /// have one.
    fn add_edited(
        &mut self,
        before: &[Element<'_>],
        after: &[Element<'_>],
        likeness: impl Fn(usize, usize) -> usize,
    ) {
        // Another id of its own is another element.
        let is_own = |element: &Element<'_>| element.id.is_some_and(|id| id.is_own);
        let mut start = 0;
        while start < after.len() {
            if self.of_after[start].is_some() {
                start += 1;
                continue;
            }
            let length = self.of_after[start..].iter().take_while(|pair| pair.is_none()).count();
            let end = start + length;
            let left = start.checked_sub(1).and_then(|left| self.of_after[left]);
            let first = left.map_or(0, |left| left + 1);
            let unused = self.is_used[first..].iter().take_while(|is_used| !**is_used).count();
            let b: Vec<usize> =
                (first..first + unused).filter(|&index| !is_own(&before[index])).collect();
            let a: Vec<usize> = (start..end).filter(|&index| !is_own(&after[index])).collect();
            for (b, a) in edited(&b, &a, &likeness) {
                self.add(b, a);
            }
            start = end;
        }
    }
}

/// The elements of a stretch, with their places in the whole list.
fn numbered<'e, 'j>(
    elements: &'e [Element<'j>],
    (start, end): (usize, usize),
) -> impl Iterator<Item = (usize, &'e Element<'j>)> {
    elements.iter().enumerate().take(end).skip(start)
}

/// Pairs of elements that are unique in both stretches, as many as come in the same order.
fn anchors(before: &[Element<'_>], after: &[Element<'_>], stretch: Stretch) -> Vec<(usize, usize)> {
    /// How often and where a text was seen last, in each list.
    #[derive(Default)]
    struct Seen {
        before: (usize, usize),
        after: (usize, usize),
    }
    let mut seen: HashMap<&str, Seen> = HashMap::new();
    for (index, element) in numbered(before, stretch.before) {
        let seen = seen.entry(element.text).or_default();
        seen.before = (seen.before.0 + 1, index);
    }
    for (index, element) in numbered(after, stretch.after) {
        let seen = seen.entry(element.text).or_default();
        seen.after = (seen.after.0 + 1, index);
    }
    let unique = (stretch.after.0..stretch.after.1).filter_map(|index| {
        let seen = seen.get(after[index].text)?;
        (seen.before.0 == 1 && seen.after.0 == 1).then_some((seen.before.1, index))
    });
    longest_rising(&unique.collect::<Vec<_>>())
}

/// The longest selection of pairs, sorted by their second part, whose first part rises, too.
fn longest_rising(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // The last pair of the best selection of each length, and what comes before each pair.
    let (mut last, mut previous) = (Vec::<usize>::new(), Vec::with_capacity(pairs.len()));
    for (index, pair) in pairs.iter().enumerate() {
        let length = last.partition_point(|&end| pairs[end].0 < pair.0);
        previous.push(length.checked_sub(1).map(|shorter| last[shorter]));
        if length == last.len() {
            last.push(index);
        } else {
            last[length] = index;
        }
    }
    let mut rising = Vec::with_capacity(last.len());
    let mut next = last.last().copied();
    while let Some(index) = next {
        rising.push(pairs[index]);
        next = previous[index];
    }
    rising.reverse();
    rising
}

/// The longest common subsequence of two short stretches; nothing of long ones.
fn longest_common(
    before: &[Element<'_>],
    after: &[Element<'_>],
    Stretch { before: b, after: a }: Stretch,
) -> Vec<(usize, usize)> {
    let is_equal = |(i, j): (usize, usize)| before[b.0 + i].text == after[a.0 + j].text;
    let pairs = best_pairs(b.1 - b.0, a.1 - a.0, |i, j| usize::from(is_equal((i, j))));
    pairs.into_iter().map(|(i, j)| (b.0 + i, a.0 + j)).collect()
}

/// Pairs the elements of two stretches of which none equals another: one with the other at its
/// place, or where one has come or gone, by what they have in common.
fn edited(
    before: &[usize],
    after: &[usize],
    likeness: impl Fn(usize, usize) -> usize,
) -> Vec<(usize, usize)> {
    let mut alike = Vec::new();
    if before.len() != after.len() {
        alike = best_pairs(before.len(), after.len(), |i, j| likeness(before[i], after[j]));
    }
    let (mut pairs, mut from) = (Vec::new(), (0, 0));
    for (b, a) in alike.into_iter().chain([(before.len(), after.len())]) {
        pairs.extend(before[from.0..b].iter().copied().zip(after[from.1..a].iter().copied()));
        pairs.extend(before.get(b).copied().zip(after.get(a).copied()));
        from = (b + 1, a + 1);
    }
    pairs
}

/// The pairs in the same order that are worth most together; none if there are too many.
fn best_pairs(
    before: usize,
    after: usize,
    worth: impl Fn(usize, usize) -> usize,
) -> Vec<(usize, usize)> {
    if before == 0 || after == 0 || before.saturating_mul(after) > MAX_PAIRS {
        return Vec::new();
    }
    let width = after + 1;
    let worths: Vec<usize> = (0..before)
        .flat_map(|i| (0..after).map(move |j| (i, j)))
        .map(|(i, j)| worth(i, j))
        .collect();
    // The worth of the best pairs of the rest, from each position on.
    let mut best = vec![0; (before + 1) * width];
    for i in (0..before).rev() {
        for j in (0..after).rev() {
            let paired = match worths[i * after + j] {
                0 => 0,
                worth => worth + best[(i + 1) * width + j + 1],
            };
            best[i * width + j] =
                paired.max(best[(i + 1) * width + j]).max(best[i * width + j + 1]);
        }
    }
    let (mut pairs, mut i, mut j) = (Vec::new(), 0, 0);
    while i < before && j < after {
        let (here, worth) = (best[i * width + j], worths[i * after + j]);
        if worth > 0 && here == worth + best[(i + 1) * width + j + 1] {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if here == best[(i + 1) * width + j] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn elements(texts: &str) -> Vec<Element<'_>> {
        let texts = texts.split(' ').filter(|text| !text.is_empty());
        texts.map(|text| Element { text, id: None }).collect()
    }

    #[track_caller]
    fn check(before: &str, after: &str, expected: &[Option<usize>]) {
        let like = |_, _| 0;
        assert_eq!(align(&elements(before), &elements(after), like), expected);
    }

    #[test]
    fn what_is_equal_is_the_same_element() {
        check("a b c", "a b c d", &[Some(0), Some(1), Some(2), None]);
        check("a b c", "x a b c", &[None, Some(0), Some(1), Some(2)]);
        check("a b c", "a c", &[Some(0), Some(2)]);
        check("a b c", "c b a", &[Some(2), Some(1), Some(0)]);
        check("a b", "", &[]);
        check("", "a", &[None]);
    }

    #[test]
    fn of_equal_elements_the_one_in_order_is_meant() {
        check("p x y x q", "P y x Q", &[Some(0), Some(2), Some(3), Some(4)]);
        check("x x x", "x x", &[Some(0), Some(1)]);
    }

    #[test]
    fn what_is_changed_in_place_is_the_same_element() {
        check("a b c", "a B c", &[Some(0), Some(1), Some(2)]);
        check("a b c d", "a B C d", &[Some(0), Some(1), Some(2), Some(3)]);
        check("a b c", "A b c d", &[Some(0), Some(1), Some(2), None]);
        check("a b c", "b c d", &[Some(1), Some(2), None]);
    }

    #[test]
    fn an_id_of_its_own_decides() {
        let element = |text, id| Element { text, id: Some(Id { text: id, is_own: true }) };
        let before = [element("1a", "1"), element("2b", "2"), element("3c", "3")];
        let after = [element("3C", "3"), element("4d", "4"), element("1A", "1")];
        assert_eq!(align(&before, &after, |_, _| 1), [Some(2), None, Some(0)]);
        let twice = [element("1A", "1"), element("1B", "1")];
        assert_eq!(align(&before, &twice, |_, _| 1), [None, None]);
    }

    #[test]
    fn a_hundred_thousand_elements_take_no_square_of_that() {
        let texts: Vec<String> = (0..100_000).map(|n| (n % 1000).to_string()).collect();
        let elements: Vec<_> = texts.iter().map(|text| Element { text, id: None }).collect();
        let mut after = elements.clone();
        after.reverse();
        let pairs = align(&elements, &after, |_, _| 0);
        assert!(pairs.iter().all(Option::is_some));
    }

    proptest! {
        #[test]
        fn no_element_is_used_twice_and_equal_ones_find_each_other(
            before in "([a-e] ){0,12}",
            after in "([a-e] ){0,12}",
        ) {
            let (before, after) = (elements(&before), elements(&after));
            let pairs = align(&before, &after, |_, _| 0);
            let mut used: Vec<usize> = pairs.iter().flatten().copied().collect();
            used.sort_unstable();
            used.dedup();
            prop_assert_eq!(used.len(), pairs.iter().flatten().count());
            for text in ["a", "b", "c", "d", "e"] {
                let count = |list: &[Element<'_>]| list.iter().filter(|e| e.text == text).count();
                let equal = pairs.iter().zip(&after).filter(|(pair, element)| {
                    element.text == text && pair.is_some_and(|pair| before[pair].text == text)
                });
                prop_assert_eq!(equal.count(), count(&before).min(count(&after)));
            }
        }
    }
}
