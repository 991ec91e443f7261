//! Bundles on the command line: what is built is what a chain takes, and what it would refuse is refused here.

use std::path::PathBuf;

use super::Cli;

fn released(path: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../swingset/bundles");
    folder.join(path).with_extension("bundle").display().to_string()
}

/// Takes a released bundle apart and builds it again from its one part.
#[track_caller]
fn check_rebuilt(path: &str, part: &str, options: &[&str]) {
    let cli = Cli::new();
    let bundle = released(path);
    let inspected = cli.json(&["bundle", "inspect", &bundle]);
    let content = cli.run(&["bundle", "inspect", &bundle, "--part", part]).stdout;
    assert_eq!(inspected["parts"][0]["size"], content.len().to_string());
    let (file, out) = (cli.path("content"), cli.path("rebuilt.bundle").display().to_string());
    std::fs::write(&file, content).expect("the folder can be written");
    let name = inspected["name"].as_str().expect("a name");
    let file = file.display().to_string();
    let build = ["bundle", "build", &file, "--name", name, "--output-document", &out];
    let built = cli.json(&[&build[..], options].concat());
    assert_eq!(built, inspected);
    assert_eq!(std::fs::read(out).expect("it was written"), std::fs::read(bundle).expect("it is there"));
}

#[test]
fn a_bundle_taken_apart_and_built_again_has_the_same_id() {
    check_rebuilt("vats/counter", "vat.wasm", &[]);
    check_rebuilt("test/raw-pingpong", "vat.wasm", &["--raw"]);
    check_rebuilt("version-2/kernel", "kernel.wasm", &["--kind", "kernel", "--schemas", "1-2"]);
    check_rebuilt("version-2/supervisor", "supervisor.wasm", &["--kind", "supervisor"]);
    check_rebuilt("version-2/lockdown", "policy.json", &["--kind", "lockdown"]);
}

#[test]
fn every_released_bundle_verifies_by_starting() {
    let cli = Cli::new();
    for path in ["version-1/kernel", "version-2/kernel", "version-2/supervisor", "version-2/lockdown", "vats/counter"] {
        let verified = cli.json(&["bundle", "verify", &released(path)]);
        let id = verified["id"].as_str().expect("an ID");
        assert_eq!(verified["verified_with"], "version-2", "{path}");
        cli.ok(&["bundle", "verify", &released(path), "--id", id]);
    }
}

#[test]
fn what_a_chain_would_refuse_or_what_does_not_start_does_not_verify() {
    let cli = Cli::new();
    let counter = cli.json(&["bundle", "inspect", &released("vats/counter")])["id"].clone();
    let counter = counter.as_str().expect("an ID");
    let mint = released("vats/mint");
    let mut damaged = std::fs::read(&mint).expect("it is there");
    *damaged.last_mut().expect("it is not empty") ^= 1;
    std::fs::write(cli.path("damaged"), damaged).expect("the folder can be written");
    let damaged = cli.path("damaged").display().to_string();
    for (arguments, expected) in [
        (vec![mint.as_str(), "--id", counter], "the bytes have the ID"),
        (vec![&damaged], "part vat.wasm does not have the SHA-512"),
        (vec![&released("test/kernel-lying")], "describes itself otherwise than its manifest"),
        (vec![&released("test/kernel-trap")], "unreachable"),
    ] {
        let error = cli.fails(1, &[&["bundle", "verify"], arguments.as_slice()].concat());
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn parts_are_kept_and_a_policy_is_written_in_its_one_text() {
    let cli = Cli::new();
    let policy = cli.ok(&["bundle", "inspect", &released("version-2/lockdown"), "--part", "policy.json"]);
    let file = cli.write("mine.json", &policy.replace(',', ",\n  "));
    let notes = cli.write("notes", "why these limits");
    let out = cli.path("mine.bundle").display().to_string();
    let part = format!("notes.txt={notes}");
    let build = ["bundle", "build", &file, "--kind", "lockdown", "--part", &part, "--output-document", &out];
    let built = cli.json(&build);
    assert_eq!((&built["name"], &built["parts"][0]["name"]), (&"mine".into(), &"notes.txt".into()));
    assert_eq!(cli.ok(&["bundle", "inspect", &out, "--part", "policy.json"]), policy);
    assert_eq!(cli.ok(&["bundle", "inspect", &out, "--part", "notes.txt"]), "why these limits");
    cli.ok(&["bundle", "verify", &out]);
    assert!(cli.fails(1, &["bundle", "inspect", &out, "--part", "x"]).contains("there are notes.txt, policy.json"));
}

#[test]
fn what_cannot_be_a_bundle_is_refused_and_nothing_is_written() {
    let cli = Cli::new();
    std::fs::write(cli.path("empty.wasm"), b"\0asm\x01\0\0\0").expect("the folder can be written");
    let empty = cli.path("empty.wasm").display().to_string();
    let policy = cli.write("policy.json", "{}");
    let out = cli.path("out.bundle").display().to_string();
    let (again, notes) = (format!("vat.wasm={empty}"), format!("notes.txt={empty}"));
    for (code, arguments, expected) in [
        (1, vec![empty.as_str()], "not admitted"),
        (1, vec![&empty, "--name", "Upper"], "is not 1 to 64 characters"),
        (1, vec![&policy, "--kind", "lockdown"], "missing field"),
        (2, vec![&empty, "--kind", "kernel"], "a kernel needs it"),
        (2, vec![&empty, "--schemas", "1-2"], "no other kind has schemas"),
        (2, vec![&empty, "--schemas", "1"], "expected two schemas"),
        (2, vec![&empty, "--part", "x"], "expected NAME=FILE"),
        (2, vec![&empty, "--part", &again], "part vat.wasm is given twice"),
        (2, vec![&empty, "--part", &notes, "--part", &notes], "part notes.txt is given twice"),
    ] {
        let error = cli.fails(code, &[&["bundle", "build", "--output-document", &out], arguments.as_slice()].concat());
        assert!(error.contains(expected), "{error}");
        assert!(!cli.path("out.bundle").exists());
    }
}
