//! The one who knows what should have arrived: compares octet by octet, and tells nobody else.

use aperto_app::pattern::Pattern;

/// Compares what an application takes with what was sent.
#[derive(Clone, Debug)]
pub(super) struct Judge {
    pattern: Pattern,
    of: u64,
    taken: u64,
    wrong: u64,
    /// Runs of wrong octets next to each other.
    spots: u64,
    first_wrong: Option<u64>,
    last_wrong: Option<u64>,
}

impl Judge {
    /// Of a file of so many octets.
    pub(super) const fn new(seed: u64, of: u64) -> Self {
        let pattern = Pattern::new(seed);
        Self { pattern, of, taken: 0, wrong: 0, spots: 0, first_wrong: None, last_wrong: None }
    }

    /// The application takes these for the next octets of the file.
    pub(super) fn takes(&mut self, octets: &[u8]) {
        self.takes_at(self.taken, octets);
    }

    /// The application takes these for the octets of the file from a place on.
    pub(super) fn takes_at(&mut self, place: u64, octets: &[u8]) {
        self.taken += octets.len() as u64;
        if self.pattern.first_difference(place, octets).is_none() {
            return;
        }
        let mut right = vec![0; octets.len()];
        self.pattern.fill(place, &mut right);
        for (at, (octet, right)) in (place..).zip(octets.iter().zip(&right)) {
            if octet != right {
                self.wrong += 1;
                if self.last_wrong.is_none_or(|last| last + 1 != at) {
                    self.spots += 1;
                }
                self.first_wrong = self.first_wrong.or(Some(at));
                self.last_wrong = Some(at);
            }
        }
    }

    /// How many octets were taken.
    pub(super) const fn taken(&self) -> u64 {
        self.taken
    }

    /// How many there are.
    pub(super) const fn of(&self) -> u64 {
        self.of
    }

    /// Whether the application has all of them.
    pub(super) const fn has_all(&self) -> bool {
        self.taken >= self.of
    }

    /// How many of them are wrong.
    pub(super) const fn wrong(&self) -> u64 {
        self.wrong
    }

    /// In how many places.
    pub(super) const fn spots(&self) -> u64 {
        self.spots
    }

    /// The first of them.
    pub(super) const fn first_wrong(&self) -> Option<u64> {
        self.first_wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_wrong_octets_and_the_places_where_they_stand() {
        let mut file = vec![0; 100];
        Pattern::new(9).fill(0, &mut file);
        for place in [10, 11, 50] {
            file[place] ^= 0x80;
        }
        let mut judge = Judge::new(9, 100);
        judge.takes(&file[..11]);
        judge.takes(&file[11..]);
        assert_eq!((judge.wrong(), judge.spots(), judge.first_wrong()), (3, 2, Some(10)));
        assert!(judge.has_all());
    }
}
