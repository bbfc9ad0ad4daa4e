//! What ran by a version of the rules.

use super::Reader;
use crate::runtime::store::StoreError;
use rusqlite::params;

impl Reader {
    /// Cascades of campaigns that were launched by the rules with this hash.
    pub fn cascades_by(&self, rules_hash: &str) -> Result<u64, StoreError> {
        let sql =
            "SELECT count(*) FROM cascade WHERE campaign IN (SELECT id FROM campaign WHERE rules_hash = ?1)";
        let found = self.rows_of(sql, params![rules_hash], |row| row.get::<_, i64>(0))?;
        Ok(found.first().map_or(0, |count| u64::try_from(*count).unwrap_or(0)))
    }
}
