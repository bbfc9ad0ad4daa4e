//! The operator at a console over a store that was restored.

use crate::house::House;
use crate::pty::Pty;
use cascade::model::Phone;

const WIDE: (u16, u16) = (120, 40);

pub struct Desk(Pty);

impl Desk {
    pub fn open(house: &House, args: &[&str]) -> Self {
        Self(Pty::start(WIDE, &house.path(""), args, &[]))
    }

    /// Why nothing is sent, how many are in doubt, and the way to settle them.
    pub fn sees_what_is_missing(&mut self, doubts: usize) {
        let hold = "HOLD  nothing is sent: the store was restored from a backup; look at what is in doubt, then resume";
        let text = self.0.sees(hold);
        let count = format!("{doubts} in doubt: sent or not? 5 Enter lists them, X there settles all");
        assert!(text.contains(&count), "nothing of {count}:\n{text}");
        self.0.keys("p");
        self.0.sees("Go on with everything?");
        self.0.sees("Settle that first");
        self.0.keys("N");
        self.0.loses("Go on with everything?");
    }

    /// Everybody is listed again.
    fn clears(&mut self) {
        self.0.keys("\u{1b}");
        self.0.sees("filters: status:open");
    }

    fn lists(&mut self, filter: &str, shown: &str) {
        self.0.keys(&format!("/{filter}\r"));
        self.0.sees(shown);
    }

    pub fn was_not_sent(&mut self, who: &Phone) {
        self.lists(who.as_str(), who.as_str());
        self.0.keys("x");
        self.0.sees("doubt: it was not sent");
        self.0.keys("n");
        self.0.sees("Settle the doubt?");
        self.0.keys("y");
        self.0.sees("doubt settled: it was not sent, ");
        self.clears();
    }

    /// The way that the banner names.
    pub fn all_others_were_sent(&mut self) {
        self.0.keys("5\r");
        self.0.sees("/status:in_doubt");
        self.0.keys("X");
        self.0.sees("doubt: it was sent");
        self.0.keys("w");
        self.0.sees("it was sent. The waits go on");
        self.0.keys("y");
        self.0.sees("0 in doubt");
    }

    pub fn goes_on(&mut self) {
        self.0.keys("p");
        self.0.sees("Go on with everything?");
        self.0.keys("y");
        self.0.loses("HOLD  nothing is sent");
    }

    /// The question says what the store lacks, and what that may come to.
    pub fn is_warned_and_launches(&mut self) {
        let text = self.0.sees("RESTORED  backup of ");
        assert!(text.contains("is lost. Opt-outs hold"), "{text}");
        self.0.keys("L");
        let question = self.0.sees("UTC may be contacted again");
        assert!(question.contains("! whoever was contacted after "), "{question}");
        self.0.keys("y");
        self.0.loses("RESTORED  ");
    }

    pub fn sees_the_end(mut self) {
        self.0.sees("■ ended");
        self.0.keys("q");
        assert_eq!(self.0.end().code, 0);
    }
}
