//! Striking a process.

use crate::house::Running;
use std::time::Duration;

impl Running {
    /// SIGKILL, unless it had ended by itself.
    pub fn kill_if_alive(mut self) -> bool {
        let mut child = self.0.take().unwrap();
        let alive = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        child.wait().unwrap();
        alive
    }

    /// Lets time pass, unless it ends before.
    pub fn lives_for(&mut self, span: Duration) {
        let step = Duration::from_millis(5);
        let mut left = span;
        while !left.is_zero() && self.lives() {
            std::thread::sleep(step.min(left));
            left = left.saturating_sub(step);
        }
    }

    /// Looks until it is so; false if it ended before.
    pub fn lives_until(&mut self, so: impl Fn() -> bool) -> bool {
        while !so() {
            if !self.lives() {
                return false;
            }
            // Between two looks, not for anything to happen.
            std::thread::sleep(Duration::from_millis(2));
        }
        true
    }

    fn lives(&mut self) -> bool {
        self.0.as_mut().unwrap().try_wait().unwrap().is_none()
    }
}
