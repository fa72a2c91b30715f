//! Compares what people were told with what is stored.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

/// A message, as far as it matters here. A GIF's words are the address of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub seq: i64,
    /// Who said it, and what they call it; nobody repeats what happened to a person.
    pub name: Option<(String, String)>,
    pub words: String,
}

impl Said {
    pub fn of(chat: &Value) -> Self {
        let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
        let author = text(&chat["user"]["id"]).expect("a message has an author");
        Self {
            seq: chat["seq"].as_i64().expect("a message has a number"),
            name: text(&chat["clientId"]).map(|name| (author, name)),
            words: text(&chat["gif"]["url"]).or(text(&chat["chat"])).unwrap_or_default(),
        }
    }
}

/// What one page showed from its load to its end, in the order in which it showed it.
#[derive(Debug, Clone, Default)]
pub struct View {
    pub shown: Vec<Said>,
    /// Up to here it had asked for everything that it might have missed.
    pub complete_to: i64,
}

/// Everything that is known of one room.
#[derive(Debug, Default)]
pub struct Record {
    /// What each person was told is stored, in the order in which they said it.
    pub acknowledged: HashMap<String, Vec<Said>>,
    pub views: Vec<View>,
    /// What is stored at the end; nothing is known of that when the room is gone.
    pub stored: Option<Vec<Said>>,
}

/// What must not be. Each is described, so that it can be looked for in a log.
#[derive(Debug, Default)]
pub struct Faults {
    pub lost: Vec<String>,
    pub doubled: Vec<String>,
    pub out_of_order: Vec<String>,
}

impl Record {
    pub fn check(&self) -> Faults {
        let mut faults = Faults::default();
        let history = self.history(&mut faults);
        for said in &self.acknowledged {
            Self::check_acknowledged(said.1, &history, &mut faults);
        }
        for view in &self.views {
            Self::check_view(view, &history, &mut faults);
        }
        faults
    }

    /// What is stored, by number; of a room that is gone, what anybody was ever told.
    fn history(&self, faults: &mut Faults) -> BTreeMap<i64, Said> {
        let mut history = BTreeMap::new();
        let mut names = HashMap::new();
        let told = self.acknowledged.values().flatten();
        let told = told.chain(self.views.iter().flat_map(|view| &view.shown));
        let all: Vec<&Said> = match &self.stored {
            Some(stored) => {
                if !stored.is_sorted_by_key(|said| said.seq) {
                    faults.out_of_order.push("the history".to_owned());
                }
                stored.iter().collect()
            }
            None => told.collect(),
        };
        for said in all {
            if let Some(name) = &said.name
                && let Some(other) = names.insert(name.clone(), said.seq)
                && other != said.seq
            {
                faults.doubled.push(format!("{said:?} is also {other}"));
            }
            if let Some(other) = history.insert(said.seq, said.clone())
                && (other != *said || self.stored.is_some())
            {
                faults.doubled.push(format!("{said:?} has the number of {other:?}"));
            }
        }
        history
    }

    fn check_acknowledged(
        acknowledged: &[Said],
        history: &BTreeMap<i64, Said>,
        faults: &mut Faults,
    ) {
        if !acknowledged.is_sorted_by(|a, b| a.seq < b.seq) {
            let seqs: Vec<_> = acknowledged.iter().map(|said| said.seq).collect();
            faults.out_of_order.push(format!("what one person said: {seqs:?}"));
        }
        for said in acknowledged {
            if history.get(&said.seq) != Some(said) {
                faults.lost.push(format!("acknowledged, but not stored: {said:?}"));
            }
        }
    }

    fn check_view(view: &View, history: &BTreeMap<i64, Said>, faults: &mut Faults) {
        let mut seen = HashSet::new();
        let mut newest = 0;
        for said in &view.shown {
            if !seen.insert(said.seq) {
                faults.doubled.push(format!("shown twice: {said:?}"));
            }
            if said.seq < newest {
                faults.out_of_order.push(format!("{said:?} was shown after {newest}"));
            }
            newest = newest.max(said.seq);
            if history.get(&said.seq) != Some(said) {
                faults.lost.push(format!("shown, but not stored: {said:?}"));
            }
        }
        let Some(first) = view.shown.first() else { return };
        // An empty range when it ended before it had caught up.
        for said in history.range(first.seq..).map(|(_, said)| said) {
            if said.seq <= view.complete_to && !seen.contains(&said.seq) {
                faults.lost.push(format!("stored, but not shown: {said:?}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(seq: i64) -> Said {
        let name = ("anna".to_owned(), format!("c-{seq}"));
        Said { seq, name: Some(name), words: format!("message {seq}") }
    }

    /// A room in which all is well: three messages, all acknowledged, stored, and shown.
    fn good() -> Record {
        let all: Vec<_> = [1, 2, 4].map(said).into();
        Record {
            acknowledged: HashMap::from([("anna".to_owned(), all.clone())]),
            views: vec![View { shown: all.clone(), complete_to: 4 }],
            stored: Some(all),
        }
    }

    fn counts(record: &Record) -> [usize; 3] {
        let faults = record.check();
        [faults.lost.len(), faults.doubled.len(), faults.out_of_order.len()]
    }

    #[test]
    fn a_good_room_has_no_faults() {
        assert_eq!(counts(&good()), [0, 0, 0]);
        assert_eq!(counts(&Record { stored: None, ..good() }), [0, 0, 0]);
    }

    #[test]
    fn what_is_acknowledged_and_not_stored_is_lost() {
        let mut record = good();
        record.views.clear();
        record.stored.as_mut().unwrap().remove(1);

        assert_eq!(counts(&record), [1, 0, 0]);
    }

    #[test]
    fn what_is_stored_with_other_words_is_lost() {
        let mut record = good();
        record.views.clear();
        record.stored.as_mut().unwrap()[1].words = "other words".to_owned();

        assert_eq!(counts(&record), [1, 0, 0]);
    }

    #[test]
    fn what_a_page_never_shows_is_lost_to_it() {
        for stored in [good().stored, None] {
            let mut record = Record { stored, ..good() };
            record.views[0].shown.remove(1);

            assert_eq!(counts(&record), [1, 0, 0]);
        }
    }

    #[test]
    fn what_a_page_has_not_caught_up_with_is_not_lost_yet() {
        let mut record = good();
        record.views[0].shown.pop();
        record.views[0].complete_to = 2;

        assert_eq!(counts(&record), [0, 0, 0]);
    }

    #[test]
    fn what_is_stored_twice_is_doubled() {
        let mut record = good();
        record.views.clear();
        record.stored.as_mut().unwrap().push(Said { seq: 5, ..said(2) });

        assert_eq!(counts(&record), [0, 1, 0]);
    }

    #[test]
    fn what_is_shown_twice_is_doubled() {
        let mut record = good();
        record.views[0].shown.push(said(4));

        assert_eq!(counts(&record), [0, 1, 0]);
    }

    #[test]
    fn two_messages_with_one_number_are_doubled() {
        let mut record = Record { stored: None, ..good() };
        let other = Said { seq: 2, ..said(9) };
        record.views.push(View { shown: vec![other], complete_to: 2 });

        assert_eq!(record.check().doubled.len(), 1);
    }

    #[test]
    fn what_is_shown_in_another_order_is_out_of_order() {
        let mut record = good();
        record.views[0].shown.swap(0, 1);

        assert_eq!(record.check().out_of_order.len(), 1);
    }

    #[test]
    fn what_one_person_said_in_another_order_is_out_of_order() {
        let mut record = good();
        record.acknowledged.get_mut("anna").unwrap().swap(0, 1);

        assert_eq!(counts(&record), [0, 0, 1]);
    }
}
