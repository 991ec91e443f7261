//! The tutorial's text shows this vat's code.

/// What stands between each `// tutorial: NAME` and `// tutorial: end`.
fn parts(code: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part: Option<String> = None;
    for line in code.lines() {
        match (line.strip_prefix("// tutorial: "), &mut part) {
            (Some("end"), _) => parts.extend(part.take()),
            (Some(_), _) => part = Some(String::new()),
            (None, Some(part)) => part.extend([line, "\n"]),
            (None, None) => {}
        }
    }
    parts
}

/// The document's Rust blocks.
fn blocks(document: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut block: Option<String> = None;
    for line in document.lines() {
        match (line, &mut block) {
            ("```rust", _) => block = Some(String::new()),
            ("```", _) => blocks.extend(block.take()),
            (line, Some(block)) => block.extend([line, "\n"]),
            (_, None) => {}
        }
    }
    blocks
}

#[test]
fn every_piece_of_code_in_the_tutorial_is_this_vats() {
    let shown = blocks(include_str!("../../../../docs/tutorial.md"));
    let code = parts(include_str!("../src/lib.rs"));
    assert!(code.len() > 3, "the vat's parts are found");
    assert_eq!(shown, code);
}
