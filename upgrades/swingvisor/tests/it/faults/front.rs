//! With CometBFT kept connected an upgrade does the same to files, so that the faults that are tried without it are all there are.

use std::sync::Arc;

use swing_files::faults::Faulty;
use swingvisor::command::Told;

use super::{Numbered, check_backup, home, of, operations, supervise_with};
use crate::front::losses::Comet;

#[test]
fn an_upgrade_under_a_connected_cometbft_has_the_same_operations_on_files() {
    let home = home(None);
    let told = Told::new();
    let files = Arc::new(Faulty::new(Numbered::new(None, told.clone()), &home.at("stash")));
    let abci = format!("unix://{}", home.at("front.sock").display());
    let variables = [("SWINGVISOR_MODE", "front".to_owned()), ("SWINGVISOR_ABCI", abci)];
    let arguments = ["start", "--engine", "external"];
    std::thread::scope(|scope| {
        let (told_too, files) = (told.clone(), files.clone());
        let running = scope.spawn(|| supervise_with(&home, files, told_too, &arguments, &variables));
        let (mut comet, height) = Comet::connect(&home);
        comet.commit_to(height, 9);
        told.tell();
        assert_eq!(running.join().expect("it ends"), 0, "{:#?}", home.log());
    });
    assert!(home.log().contains(&"apply version-2 at 8".to_owned()), "{:#?}", home.log());
    check_backup(&home, "fronted");
    assert_eq!(of(&home, &files), operations());
}
