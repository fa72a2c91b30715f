//! What happens in a schedule: somebody does something, or something happens to the server.

use rand::{RngExt as _, rngs::StdRng, seq::IndexedRandom as _};

macro_rules! kinds {
    ($($(#[doc = $about:literal])+ $kind:ident $weight:literal;)+) => {
        /// Kinds of actions, and how often each is taken.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($(#[doc = $about])+ $kind,)+ }

        impl Kind {
            pub const ALL: &[(Self, u32)] = &[$((Self::$kind, $weight),)+];
        }
    };
}

kinds! {
    /// Somebody opens a tab, or a bot a connection, and enters.
    Enter 30;
    /// The same for somebody who is away.
    Return 0;
    /// A connection asks to leave.
    Exit 16;
    /// A page without scripts asks to leave.
    Leave 4;
    /// A connection breaks.
    Drop 10;
    /// A page without scripts takes a seat for a minute, or prolongs it.
    Sit 3;
    /// A session ends, with its tabs.
    SessionEnd 4;
    /// A bot's token ends.
    TokenEnd 3;
    /// The owner removes somebody.
    Kick 10;
    /// The owner hands the room over.
    HandOver 6;
    /// The owner locks the room, or opens the lock.
    Lock 4;
    /// The owner changes the number of places.
    Resize 3;
    /// The owner closes the room.
    Close 1;
    /// Somebody says something.
    Say 6;
    /// The graces end, and maintenance runs.
    TimePasses 5;
    /// The server dies and starts again.
    Kill 1;
    /// The server stops in order and starts again.
    Stop 1;
}

/// The people of a schedule: three visitors, and a bot that the last of them made.
pub const PEOPLE: usize = 4;
pub const BOT: usize = 3;
pub const MAKER: usize = 2;

/// An action before it is known who is there: `who` may turn out to have no tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action {
    pub kind: Kind,
    pub who: usize,
    pub whom: usize,
    /// Which of several; taken modulo their number.
    pub nth: usize,
}

/// What happens in one schedule, apart from the order of the steps.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where the order comes from.
    pub seed: u64,
    pub places: u32,
    /// How many tabs each person has at the beginning.
    pub tabs: [usize; PEOPLE],
    pub actions: Vec<Action>,
    /// How likely the next action begins before the next step.
    pub haste: f64,
    /// How many calls of the store may fail.
    pub faults: usize,
    /// Whether a seat is kept after its last connection.
    pub has_grace: bool,
}

impl Plan {
    pub fn random(seed: u64, random: &mut StdRng) -> Self {
        let mut actions: Vec<Action> = Vec::new();
        for _ in 0..random.random_range(2..=10) {
            let (kind, _) = Kind::ALL.choose_weighted(random, |(_, weight)| *weight).unwrap();
            let mut pick = || random.random_range(0..PEOPLE);
            let (who, whom, nth) = (pick(), pick(), pick());
            let mut action = Action { kind: *kind, who, whom, nth };
            // What happens to one person meets most often.
            if let Some(last) = actions.last()
                && random.random_bool(0.6)
            {
                let same = if last.kind == Kind::Kick { last.whom } else { last.who };
                if matches!(action.kind, Kind::Kick | Kind::HandOver) {
                    action.whom = same;
                } else {
                    action.who = same;
                }
            }
            actions.push(action);
        }
        Self {
            seed,
            places: random.random_range(2..=4),
            tabs: std::array::from_fn(|_| random.random_range(0..=2)),
            actions,
            haste: *[0.1, 0.3, 0.6, 0.9].choose(random).unwrap(),
            faults: if random.random_bool(0.25) { random.random_range(1..=2) } else { 0 },
            has_grace: random.random_bool(0.7),
        }
    }
}
