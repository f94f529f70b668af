//! Pages in slots of size classes. Knows no page: a slot is words, and what its page has gathered beside them.
//!
//! Eight classes to a doubling, so that a slot wastes at most an eighth; slots of one class stand side by side in
//! chunks, so that a page costs no allocation of its own.

use crate::entity::{Gathered, LoosePage, Memory};

/// Smallest slot, words.
const SMALLEST: usize = 16;
/// Classes to a doubling.
const STEPS: usize = 8;
/// Words of a chunk; a larger slot has a chunk of its own. Small enough that a rarely used class costs little, large
/// enough that chunks are few.
const CHUNK: usize = 8192;
/// Up to here a page that outgrows its slot gets an eighth more than it asks for: small pages grow row by row.
const GENEROUS_UNTIL: usize = 2048;

/// Where a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    class: u16,
    index: u16,
    chunk: u32,
    /// Where what is gathered stands; [`NONE`] where nothing is.
    gathered: u32,
}

/// Nothing is gathered.
const NONE: u32 = u32::MAX;

#[derive(Debug, Default)]
struct Class {
    chunks: Vec<Box<[u64]>>,
    free: Vec<Slot>,
}

/// Slots of every class.
#[derive(Debug, Default)]
pub(crate) struct Slab {
    classes: Vec<Class>,
    gathered: Vec<Gathered>,
    /// Places in `gathered` that no slot has.
    free_gathered: Vec<u32>,
    gathered_bytes: usize,
    used_words: usize,
    reserved_words: usize,
}

fn class_of(words: usize) -> usize {
    let words = words.max(SMALLEST);
    let doubling = words.ilog2() - SMALLEST.ilog2();
    let base = SMALLEST << doubling;
    doubling as usize * STEPS + (words - base).div_ceil(base / STEPS)
}

fn words_of(class: usize) -> usize {
    let base = SMALLEST << (class / STEPS);
    base + base / STEPS * (class % STEPS)
}

impl Slab {
    /// A slot of at least `words` words; what it holds is left over.
    pub(crate) fn allocate(&mut self, words: usize) -> Slot {
        let class = class_of(words);
        if class >= self.classes.len() {
            self.classes.resize_with(class + 1, Class::default);
        }
        let slots = &mut self.classes[class];
        let words = words_of(class);
        self.used_words += words;
        if let Some(slot) = slots.free.pop() {
            return slot;
        }
        let count = (CHUNK / words).max(1);
        let chunk = slots.chunks.len() as u32;
        slots.chunks.push(vec![0; words * count].into_boxed_slice());
        self.reserved_words += words * count;
        let slot = |index| Slot { class: class as u16, index: index as u16, chunk, gathered: NONE };
        slots.free.extend((1..count).rev().map(slot));
        slot(0)
    }

    /// Gives a slot back.
    pub(crate) fn free(&mut self, slot: Slot) {
        self.used_words -= words_of(slot.class.into());
        if let Some(gathered) = self.gathered.get_mut(slot.gathered as usize) {
            self.gathered_bytes -= std::mem::take(gathered).bytes();
            self.free_gathered.push(slot.gathered);
        }
        self.classes[usize::from(slot.class)].free.push(Slot { gathered: NONE, ..slot });
    }

    /// A place for what a page gathers.
    fn gather(&mut self) -> u32 {
        self.free_gathered.pop().unwrap_or_else(|| {
            self.gathered.push(Gathered::default());
            self.gathered.len() as u32 - 1
        })
    }

    /// The words of a slot.
    #[inline]
    pub(crate) fn words(&self, slot: Slot) -> &[u64] {
        let words = words_of(slot.class.into());
        &self.classes[usize::from(slot.class)].chunks[slot.chunk as usize][usize::from(slot.index) * words..][..words]
    }

    /// A slot holding a page, of which so many words stand at the end.
    pub(crate) fn store(&mut self, LoosePage { words, gathered }: LoosePage, tail: usize) -> Slot {
        let mut slot = self.allocate(words.len());
        let mut lent = self.lend(&mut slot);
        let all = lent.words_mut();
        let (front, end) = (words.len() - tail, all.len());
        all[..front].copy_from_slice(&words[..front]);
        all[end - tail..].copy_from_slice(&words[front..]);
        if gathered.bytes() > 0 {
            *lent.gathered_mut() = gathered;
        }
        drop(lent);
        slot
    }

    /// A slot to work in. `slot` is changed when the page moves.
    #[inline]
    pub(crate) fn lend<'a>(&'a mut self, slot: &'a mut Slot) -> Lent<'a> {
        let chunk = self.take(*slot);
        let (from, to) = span(*slot);
        let gathered_bytes = self.gathered.get(slot.gathered as usize).map_or(0, Gathered::bytes);
        Lent { slab: self, slot, chunk, from, to, gathered_bytes }
    }

    /// Bytes of slots in use, and of what their pages have gathered.
    pub(crate) fn used_bytes(&self) -> usize {
        let gathering = self.gathered.len() - self.free_gathered.len();
        self.used_words * size_of::<u64>() + self.gathered_bytes + gathering * size_of::<Gathered>()
    }

    /// Bytes of all slots, and of what pages have gathered.
    pub(crate) fn reserved_bytes(&self) -> usize {
        let gathered = self.gathered_bytes + self.gathered.capacity() * size_of::<Gathered>();
        self.reserved_words * size_of::<u64>() + gathered
    }

    fn take(&mut self, slot: Slot) -> Box<[u64]> {
        std::mem::take(&mut self.classes[usize::from(slot.class)].chunks[slot.chunk as usize])
    }

    fn put(&mut self, slot: Slot, chunk: Box<[u64]>) {
        self.classes[usize::from(slot.class)].chunks[slot.chunk as usize] = chunk;
    }
}

fn span(slot: Slot) -> (usize, usize) {
    let words = words_of(slot.class.into());
    let from = usize::from(slot.index) * words;
    (from, from + words)
}

/// A slot under work: its chunk is taken out of the slab until this is dropped, so that every access is one step.
#[derive(Debug)]
pub(crate) struct Lent<'a> {
    slab: &'a mut Slab,
    slot: &'a mut Slot,
    chunk: Box<[u64]>,
    from: usize,
    to: usize,
    /// Of what was gathered when it was lent.
    gathered_bytes: usize,
}

impl Memory for Lent<'_> {
    #[inline]
    fn words(&self) -> &[u64] {
        &self.chunk[self.from..self.to]
    }

    #[inline]
    fn words_mut(&mut self) -> &mut [u64] {
        &mut self.chunk[self.from..self.to]
    }

    fn resize(&mut self, words: usize) {
        let old = *self.slot;
        let growing = words > self.to - self.from;
        let generous = if growing && words < GENEROUS_UNTIL { words + words / STEPS } else { words };
        if class_of(generous) == usize::from(old.class) {
            return;
        }
        let new = self.slab.allocate(generous);
        let (from, to) = span(new);
        let kept = (to - from).min(self.to - self.from);
        let mut chunk = self.slab.take(new);
        chunk[from..from + kept].copy_from_slice(&self.chunk[self.from..self.from + kept]);
        let before = std::mem::replace(&mut self.chunk, chunk);
        self.slab.put(old, before);
        // What is gathered stays where it is.
        self.slab.free(Slot { gathered: NONE, ..old });
        *self.slot = Slot { gathered: old.gathered, ..new };
        (self.from, self.to) = (from, to);
    }

    fn gathered(&self) -> &Gathered {
        self.slab.gathered.get(self.slot.gathered as usize).unwrap_or(Gathered::NOTHING)
    }

    fn gathered_mut(&mut self) -> &mut Gathered {
        if self.slot.gathered == NONE {
            self.slot.gathered = self.slab.gather();
        }
        &mut self.slab.gathered[self.slot.gathered as usize]
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let chunk = std::mem::take(&mut self.chunk);
        self.slab.put(*self.slot, chunk);
        if self.slot.gathered != NONE {
            self.slab.gathered_bytes += self.gathered().bytes();
            self.slab.gathered_bytes -= self.gathered_bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    //! Classes are fine and reachable; slots are reused.
    use super::*;

    #[test]
    fn a_slot_wastes_at_most_an_eighth() {
        for words in 1..100_000 {
            let got = words_of(class_of(words));
            assert!(got >= words && (words <= SMALLEST || got - words <= words / STEPS), "{words} in {got}");
            assert_eq!(class_of(got), class_of(words));
        }
    }

    #[test]
    fn a_page_that_moves_keeps_its_words_and_frees_its_slot() {
        let mut slab = Slab::default();
        let other = slab.allocate(20);
        let mut slot = slab.allocate(20);
        {
            let mut lent = slab.lend(&mut slot);
            lent.words_mut()[..20].fill(7);
            lent.resize(10_000);
            assert!(lent.words().len() >= 10_000 && lent.words()[..20] == [7; 20]);
            lent.resize(20);
            assert!(lent.words()[..20] == [7; 20]);
        }
        assert!(slab.words(slot)[..20] == [7; 20]);
        let words = slab.words(slot).len() + slab.words(other).len();
        assert_eq!(slab.used_bytes(), words * 8);
        slab.free(slot);
        slab.free(other);
        assert_eq!(slab.used_bytes(), 0);
        let reserved = slab.reserved_bytes();
        slab.allocate(20);
        assert_eq!(slab.reserved_bytes(), reserved);
    }
}
