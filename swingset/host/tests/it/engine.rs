//! The released kernel with raw vats, from the first state on.

use crate::support::{World, raw_vat, released};

fn players() -> World {
    let code = [("player", released("test/raw-pingpong.wasm"))];
    World::with_raw_vats(&[raw_vat("bootstrap=player"), raw_vat("pong=player")], &code)
}

#[test]
fn raw_vats_play_ball_through_the_released_kernel() {
    let mut world = players();
    let start = world.run();
    assert!(start.idle);
    assert_eq!(start.stopped, None);
    world.queue("bootstrap", "serve", "[10]");
    let played = world.run();
    assert_eq!(played.deliveries, 11, "one serve and ten balls");
    assert!(played.idle);
    assert!(played.computrons > 0);
    assert_eq!(world.activity().len(), 64);
}
