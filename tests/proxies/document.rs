//! What `docs/deploy/proxy.md` tells an operator to write, word for word.

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

/// The texts of the fenced blocks in this language, in their order.
pub fn blocks(language: &str) -> Vec<String> {
    let (mut found, mut block) = (Vec::new(), None::<String>);
    for event in Parser::new(include_str!("../../docs/deploy/proxy.md")) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(of))) if &*of == language => {
                block = Some(String::new());
            }
            Event::Text(text) => {
                if let Some(block) = &mut block {
                    block.push_str(&text);
                }
            }
            Event::End(TagEnd::CodeBlock) => found.extend(block.take()),
            _ => {}
        }
    }
    found
}

/// The settings that the document exports in a shell.
pub fn settings() -> Vec<(String, String)> {
    let exports: Vec<_> = blocks("console").join("\n").lines().filter_map(export).collect();
    assert!(!exports.is_empty(), "the document has no settings");
    exports
}

fn export(line: &str) -> Option<(String, String)> {
    let assignment = line.strip_prefix("$ export ")?.split_whitespace().next()?;
    let (name, value) = assignment.split_once('=')?;
    Some((name.to_owned(), value.to_owned()))
}

/// Replaces an address, a port or a path of the document, which must be there once.
pub fn replace(text: &str, documented: &str, ours: &str) -> String {
    assert_eq!(text.matches(documented).count(), 1, "{documented} in:\n{text}");
    text.replace(documented, ours)
}
