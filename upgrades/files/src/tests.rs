//! In which order things are done: what makes a file last is what comes between its writing and its name.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Mutex,
};

use crate::{
    Files, MODE_SECRET,
    faults::{Fault, Faulty, Observer},
    make_synced_folder, put_in_place, remove_whole, replace_file, replace_file_with_mode, replace_link, write_synced,
};

#[derive(Debug)]
struct Recorder {
    folder: PathBuf,
    done: Mutex<Vec<String>>,
}

impl Observer for Recorder {
    fn step(&self, operation: &str, path: &Path) -> io::Result<Option<Fault>> {
        let place = path.strip_prefix(&self.folder).expect("in the folder");
        self.done.lock().expect("no panic holds it").push(format!("{operation} {}", place.display()));
        Ok(None)
    }

    fn die(&self) -> io::Error {
        io::Error::other("nothing kills it")
    }
}

#[track_caller]
fn check(work: impl FnOnce(&dyn Files, &Path) -> io::Result<()>, expected: &[&str]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let stash = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(folder.path().join("old")).expect("made");
    fs::write(folder.path().join("old/whole"), "whole").expect("written");
    let recorder = Recorder { folder: folder.path().to_owned(), done: Mutex::default() };
    let files = Faulty::new(recorder, stash.path());
    work(&files, folder.path()).expect("done");
    assert_eq!(*files.observer().done.lock().expect("no panic holds it"), expected);
}

#[test]
fn a_file_is_written_synced_renamed_and_its_folder_synced_in_this_order() {
    check(
        |files, folder| replace_file(files, &folder.join("a"), b"new"),
        &["save a.tmp", "sync_file a.tmp", "rename a", "sync_folder "],
    );
    check(
        |files, folder| put_in_place(files, &folder.join("old/whole"), &folder.join("a")),
        &["sync_file old/whole", "rename a", "sync_folder "],
    );
    check(
        |files, folder| {
            replace_file_with_mode(files, &folder.join("a"), &folder.join(".a.7"), b"secret", MODE_SECRET)?;
            assert_eq!(fs::metadata(folder.join("a"))?.permissions().mode() & 0o777, MODE_SECRET);
            Ok(())
        },
        &["remove .a.7", "create .a.7", "sync_file .a.7", "rename a", "sync_folder "],
    );
    check(|files, folder| write_synced(files, &folder.join("a"), b"new"), &["save a", "sync_file a"]);
}

#[test]
fn names_last_before_what_depends_on_them_is_done() {
    check(
        |files, folder| remove_whole(files, &folder.join("old"), &folder.join(".old")),
        &["rename .old", "sync_folder ", "remove .old"],
    );
    check(
        |files, folder| replace_link(files, Path::new("old"), &folder.join("link")),
        &["remove link.tmp", "symlink link.tmp", "rename link", "sync_folder "],
    );
    check(
        |files, folder| make_synced_folder(files, &folder.join("a/b")),
        &["make_folder a/b", "sync_folder ", "sync_folder a"],
    );
}

#[test]
fn what_a_process_of_the_same_number_has_left_is_no_obstacle() {
    check(
        |files, folder| {
            fs::write(folder.join(".a.7"), "torn")?;
            replace_file_with_mode(files, &folder.join("a"), &folder.join(".a.7"), b"whole", MODE_SECRET)?;
            assert_eq!(fs::read(folder.join("a"))?, b"whole");
            assert!(!folder.join(".a.7").exists());
            Ok(())
        },
        &["remove .a.7", "create .a.7", "sync_file .a.7", "rename a", "sync_folder "],
    );
}

/// A power cut takes what was not synced, wherever it is called by now, and nothing else.
#[test]
fn a_power_cut_undoes_what_was_not_synced_under_the_names_of_the_moment() {
    #[derive(Debug)]
    struct CutAt(&'static str);
    impl Observer for CutAt {
        fn step(&self, operation: &str, _: &Path) -> io::Result<Option<Fault>> {
            Ok((operation == self.0).then_some(Fault::PowerCut))
        }
        fn die(&self) -> io::Error {
            io::Error::other("off")
        }
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let stash = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name);
    let files = Faulty::new(CutAt("symlink"), stash.path());
    files.make_folder(&at("making")).expect("made");
    files.save(&at("making/synced"), &mut b"content".as_slice(), 100).expect("written");
    files.sync_file(&at("making/synced")).expect("synced");
    files.sync_folder(&at("making")).expect("synced");
    files.save(&at("making/torn"), &mut b"content".as_slice(), 100).expect("written");
    files.rename(&at("making"), &at("made")).expect("renamed");
    files.sync_folder(folder.path()).expect("synced");
    files.rename(&at("made/synced"), &at("made/renamed")).expect("renamed");
    files.symlink(Path::new("made"), &at("link")).expect_err("the power is off");
    let names = |folder: &str| crate::Disk.list(&at(folder)).expect("listed");
    assert_eq!((names(""), names("made")), (vec!["made".to_owned()], vec!["synced".to_owned()]));
    assert_eq!(fs::read(at("made/synced")).expect("there"), b"content");
}
