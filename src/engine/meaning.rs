//! temporary

/// x
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// x
    OptOut(String),
    /// x
    OptIn,
    /// x
    Answer(crate::model::Disposition),
}
