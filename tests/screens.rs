//! Whole screens through the real loop on a fake terminal: keys in, the last frame out.

#[path = "screens/fixture.rs"]
mod fixture;

use cascade::model::Mode;
use cascade::runtime::handle::Picture;
use cascade::tui::{self, Options};
use futures::stream;

/// To look at it: `cargo test --test screens -- --ignored --nocapture show`, with `FIXTURE=idle|running|live`.
#[tokio::test]
#[ignore = "takes the terminal; for people to look at"]
async fn show() {
    let picture: Picture = match std::env::var("FIXTURE").as_deref() {
        Ok("idle") => fixture::idle(Mode::Rehearsal),
        Ok("live") => fixture::running(Mode::Live),
        Ok("starting") => Picture { starting: Some("starting the sandbox".into()), ..Picture::default() },
        _ => fixture::running(Mode::Rehearsal),
    };
    let (handle, mut engine) = fixture::handle(picture);
    tokio::spawn(async move {
        while let Some(command) = engine.commands.recv().await {
            if let cascade::runtime::handle::Command::History(_, answer) = command {
                _ = answer.send(fixture::timeline().into_iter().collect());
            }
        }
    });
    let options = Options::new(std::env::var_os("NO_COLOR").is_some()).unwrap();
    tui::run(handle, options).await.unwrap();
    _ = stream::empty::<()>();
}
