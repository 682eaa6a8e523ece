//! A world that can be stepped back: snapshots, and a re-run from the nearest.

use alloc::vec::Vec;

use aperto_time::Instant;

use super::World;
use crate::recipe::{Recipe, RecipeError};

/// Steps between two snapshots.
const BETWEEN_SNAPSHOTS: u64 = 64;

/// A world and its past.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// Snapshots: the first is the world before anything happened, the others every so many steps.
    snapshots: Vec<World>,
    world: World,
}

impl Timeline {
    /// The world of a recipe, before anything happened.
    ///
    /// # Errors
    ///
    /// The recipe cannot be run, and why.
    pub fn new(recipe: &Recipe) -> Result<Self, RecipeError> {
        let world = World::new(recipe)?;
        Ok(Self { snapshots: alloc::vec![world.clone()], world })
    }

    /// The world as it is now.
    #[must_use]
    pub const fn world(&self) -> &World {
        &self.world
    }

    /// How many steps have been taken.
    #[must_use]
    pub const fn at(&self) -> u64 {
        self.world.steps()
    }

    /// One step forward; says whether there was one.
    pub fn forward(&mut self) -> bool {
        let stepped = self.world.step_of_run().is_none();
        let due = self.snapshots.len() as u64 * BETWEEN_SNAPSHOTS;
        if stepped && self.world.steps() == due {
            self.snapshots.push(self.world.clone());
        }
        stepped
    }

    /// One step back; says whether there was one.
    pub fn back(&mut self) -> bool {
        let at = self.at();
        if at == 0 {
            return false;
        }
        self.seek(at - 1);
        true
    }

    /// To this step, or to the last there is.
    pub fn seek(&mut self, step: u64) {
        if step < self.at() {
            let nearest = usize::try_from(step / BETWEEN_SNAPSHOTS).unwrap_or(usize::MAX);
            let nearest = nearest.min(self.snapshots.len() - 1);
            if let Some(snapshot) = self.snapshots.get(nearest) {
                self.world = snapshot.clone();
            }
        }
        while self.at() < step && self.forward() {}
    }

    /// To the last step at or before this time.
    pub fn seek_time(&mut self, time: Instant) {
        if time < self.world.now() {
            self.seek(0);
        }
        while self.world.next_at().is_some_and(|at| at <= time) && self.forward() {}
    }

    /// To the end.
    pub fn to_the_end(&mut self) {
        while self.forward() {}
    }

    /// The world at this step under another recipe, such as the same with one more pick: what was
    /// different before that step is different now, too.
    ///
    /// # Errors
    ///
    /// The recipe cannot be run, and why.
    pub fn edited(&self, recipe: &Recipe) -> Result<Self, RecipeError> {
        let mut other = Self::new(recipe)?;
        other.seek_time(self.world.now());
        Ok(other)
    }
}
