//! Who is in control: a small machine without a wire.

use crate::engine::order::Who;
use crate::model::At;

/// One attached console.
pub type ConsoleId = u64;

/// Whoever is in control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Which console; `None`: the screen of the process itself, which keeps it.
    pub console: Option<ConsoleId>,
    /// Who sits there.
    pub who: Who,
    /// Since when, wall time.
    pub since: At,
}

/// At most one holder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Control {
    holder: Option<Holder>,
}

impl Control {
    /// The process has a screen of its own, and whoever sits there is in control until it ends.
    pub fn of_our_own(who: Who, since: At) -> Self {
        Self { holder: Some(Holder { console: None, who, since }) }
    }

    /// Who has it.
    pub fn holder(&self) -> Option<&Holder> {
        self.holder.as_ref()
    }

    /// Whether this console has it.
    pub fn is(&self, console: ConsoleId) -> bool {
        self.holder.as_ref().is_some_and(|holder| holder.console == Some(console))
    }

    /// For whoever comes or acts while nobody has it. Whether they have it now.
    pub fn claim(&mut self, console: ConsoleId, who: &Who, now: At) -> bool {
        if self.holder.is_none() {
            self.holder = Some(Holder { console: Some(console), who: who.clone(), since: now });
        }
        self.is(console)
    }

    /// Takes it, whoever has it; says who had it. A process's own screen keeps it.
    pub fn take(&mut self, console: ConsoleId, who: &Who, now: At) -> Result<Option<Holder>, Holder> {
        match self.holder.take() {
            Some(own) if own.console.is_none() => {
                self.holder = Some(own.clone());
                Err(own)
            }
            before => {
                let since = before.as_ref().filter(|h| h.console == Some(console)).map_or(now, |h| h.since);
                self.holder = Some(Holder { console: Some(console), who: who.clone(), since });
                Ok(before.filter(|holder| holder.console != Some(console)))
            }
        }
    }

    /// The console gives it back or is gone. Whether it had it.
    pub fn leave(&mut self, console: ConsoleId) -> bool {
        let had = self.is(console);
        if had {
            self.holder = None;
        }
        had
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(user: &str) -> Who {
        Who { user: user.into(), ..Who::default() }
    }

    #[test]
    fn the_first_has_it_and_whoever_takes_it_takes_it_from_somebody() {
        let (mut control, noon, one) = (Control::default(), At::from_secs(43_200), At::from_secs(46_800));
        assert!(control.claim(1, &who("ana"), noon));
        assert!(!control.claim(2, &who("bo"), noon));
        let from = control.take(2, &who("bo"), one).unwrap();
        assert_eq!(from.map(|holder| holder.who), Some(who("ana")));
        assert!(control.is(2) && !control.is(1));
        assert!(!control.leave(1), "whoever lost it gives nothing back");
        assert!(control.leave(2) && control.holder().is_none());
        assert!(control.claim(1, &who("ana"), one), "whoever acts first has it");
    }

    #[test]
    fn taking_it_again_is_no_theft_and_a_screen_of_the_process_keeps_it() {
        let (noon, one) = (At::from_secs(43_200), At::from_secs(46_800));
        let mut control = Control::default();
        control.claim(1, &who("ana"), noon);
        assert_eq!(control.take(1, &who("ana"), one), Ok(None));
        assert_eq!(control.holder().map(|holder| holder.since), Some(noon));
        let mut own = Control::of_our_own(who("ana"), noon);
        assert!(own.take(1, &who("bo"), one).is_err() && !own.claim(1, &who("bo"), one) && !own.leave(1));
        assert_eq!(own.holder().map(|holder| holder.who.clone()), Some(who("ana")));
    }
}
