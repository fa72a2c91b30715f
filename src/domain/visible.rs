//! Detects texts without a visible character.

/// Whether a text has no visible character: only white space, control characters, and characters
/// that Unicode calls default ignorable.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c.is_control() || is_ignorable(c))
}

/// Default ignorable characters, the marks of interlinear annotations, and the letters that render
/// as blanks.
fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{2800}' | '\u{3164}'
        | '\u{feff}' | '\u{ffa0}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joiners_and_direction_marks_alone_are_blank() {
        for nothing in [
            "",
            " \n",
            "\0",
            "\u{7f}\u{80}\u{1b}",
            "\u{fff9}\u{fffb}",
            "\u{200b}",
            "\u{202e}\u{2066} \u{feff}",
            "\u{3164}\u{2800}",
            "\u{e0001}",
        ] {
            assert!(is_blank(nothing), "{nothing:?}");
        }
        for something in ["a", "가", "\u{202e}.", "👩\u{200d}🔬", "☕\u{fe0f}", "\u{200b}-"] {
            assert!(!is_blank(something), "{something:?}");
        }
    }
}
