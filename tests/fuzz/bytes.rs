//! Bytes that are almost right.

use proptest::{prelude::*, sample::Index};

/// Some change of something that is right.
#[derive(Debug, Clone)]
enum Edit {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize),
    CutOff(Index),
}

impl Edit {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let at = |index: &Index, bytes: &[u8]| index.index(bytes.len() + 1);
        match self {
            Self::Set(index, byte) => {
                let at = at(index, bytes);
                if let Some(old) = bytes.get_mut(at) {
                    *old = *byte;
                }
            }
            Self::Insert(index, more) => {
                let at = at(index, bytes);
                bytes.splice(at..at, more.iter().copied());
            }
            Self::Remove(index, count) => {
                let at = at(index, bytes);
                bytes.drain(at..bytes.len().min(at + count));
            }
            Self::Repeat(index, count) => {
                let at = at(index, bytes);
                let part = bytes[at..bytes.len().min(at + count)].to_vec();
                bytes.splice(at..at, part);
            }
            Self::CutOff(index) => bytes.truncate(at(index, bytes)),
        }
    }
}

fn edit() -> impl Strategy<Value = Edit> {
    // What parsers trip over more often than over other bytes.
    let odd = prop::sample::select(vec![
        0, 1, 0x7f, 0x80, 0xff, b'"', b'\\', b'{', b'[', b'=', b'%', b';',
    ]);
    let byte = || prop_oneof![odd.clone(), any::<u8>()];
    prop_oneof![
        4 => (any::<Index>(), byte()).prop_map(|(at, byte)| Edit::Set(at, byte)),
        2 => (any::<Index>(), prop::collection::vec(byte(), 1..8)).prop_map(|(at, more)| Edit::Insert(at, more)),
        2 => (any::<Index>(), 1..16_usize).prop_map(|(at, count)| Edit::Remove(at, count)),
        1 => (any::<Index>(), 1..64_usize).prop_map(|(at, count)| Edit::Repeat(at, count)),
        1 => any::<Index>().prop_map(Edit::CutOff),
    ]
}

/// One of these with a few changes; or, now and then, bytes that are nothing at all.
pub fn like(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changed = (prop::sample::select(seeds), prop::collection::vec(edit(), 0..6));
    let changed = changed.prop_map(|(mut bytes, edits)| {
        for edit in edits {
            edit.apply(&mut bytes);
        }
        bytes
    });
    prop_oneof![9 => changed, 1 => prop::collection::vec(any::<u8>(), 0..512)]
}
