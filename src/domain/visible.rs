//! Texts that show nothing, although they have characters.

/// Whether a text shows nothing at all: it has only white space, and characters that are there for what is around
/// them (Unicode calls them ignorable by default).
pub(super) fn shows_nothing(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_ignorable(c))
}

/// What has no picture of its own, and the blanks that count as letters.
fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{2800}' | '\u{3164}'
        | '\u{feff}' | '\u{ffa0}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{fff0}'..='\u{fff8}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_joins_or_turns_others_around_shows_nothing() {
        for nothing in
            ["", " \n", "\u{200b}", "\u{202e}\u{2066} \u{feff}", "\u{3164}\u{2800}", "\u{e0001}"]
        {
            assert!(shows_nothing(nothing), "{nothing:?}");
        }
        for something in ["a", "가", "\u{202e}.", "👩\u{200d}🔬", "☕\u{fe0f}", "\u{200b}-"] {
            assert!(!shows_nothing(something), "{something:?}");
        }
    }
}
