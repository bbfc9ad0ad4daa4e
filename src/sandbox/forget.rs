//! Taking people out of the sandbox's memory: rehearsals use real lists. Nothing of it may be running.

use super::memory::MemoryError;
use crate::model::Phone;
use rusqlite::{Connection, params};
use serde_json::Value;
use std::collections::HashSet;
use std::path::Path;

/// Fields of a line of the ledger or the events, and of what is planned, that name the thing they are about.
const NAMED_BY: [&str; 3] = ["message", "call", "sid"];

/// Erases everything that these numbers did or were sent: messages, calls, texts, acts to come. Lines of the ledger and
/// the events stay, without saying whom they were about. How many things and lines were theirs.
pub fn forget(memory: &Path, phones: &[Phone]) -> Result<u64, MemoryError> {
    let opened = |source| MemoryError::Open { file: memory.display().to_string(), source };
    let mut db = Connection::open(memory).map_err(opened)?;
    let numbers: HashSet<&str> = phones.iter().map(Phone::digits).collect();
    erase(&mut db, &numbers).map_err(|error| MemoryError::Write(error.to_string()))
}

/// Everything that stands there about a number, a JSON text each.
pub fn about(memory: &Path, phone: &Phone) -> Result<Vec<String>, MemoryError> {
    let opened = |source| MemoryError::Open { file: memory.display().to_string(), source };
    let db = Connection::open(memory).map_err(opened)?;
    let numbers = HashSet::from([phone.digits()]);
    let read = || {
        let mut found = Vec::new();
        for sql in [
            "SELECT id, json FROM thing ORDER BY kind, id",
            "SELECT '', json FROM act ORDER BY id",
            "SELECT '', line FROM ledger ORDER BY seq",
            "SELECT '', line FROM event ORDER BY seq",
        ] {
            let mut rows = db.prepare(sql)?;
            let mut rows = rows.query([])?;
            while let Some(row) = rows.next()? {
                let (id, json): (String, String) = (row.get(0)?, row.get(1)?);
                if names(&id, &numbers) || names(&json, &numbers) {
                    found.push(json);
                }
            }
        }
        Ok(found)
    };
    let found: rusqlite::Result<_> = read();
    found.map_err(opened)
}

fn erase(db: &mut Connection, numbers: &HashSet<&str>) -> rusqlite::Result<u64> {
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY")?;
    let transaction = db.transaction()?;
    let mut gone = 0;
    let (mut things, mut ids) = (Vec::new(), HashSet::new());
    each(&transaction, "SELECT kind, id, json FROM thing", |row| {
        let (kind, id): (String, String) = (row.get(0)?, row.get(1)?);
        if names(&id, numbers) || names(row.get_ref(2)?.as_str()?, numbers) {
            ids.insert(id.clone());
            things.push((kind, id));
        }
        Ok(())
    })?;
    for (kind, id) in things {
        gone += transaction.execute("DELETE FROM thing WHERE kind = ?1 AND id = ?2", params![kind, id])?;
    }
    let mut acts = Vec::new();
    each(&transaction, "SELECT id, json FROM act", |row| {
        let json = row.get_ref(1)?.as_str()?;
        if names(json, numbers) || is_about(json, &ids) {
            acts.push(row.get::<_, i64>(0)?);
        }
        Ok(())
    })?;
    for id in acts {
        gone += transaction.execute("DELETE FROM act WHERE id = ?1", [id])?;
    }
    for table in ["ledger", "event"] {
        let mut lines = Vec::new();
        each(&transaction, &format!("SELECT seq, line FROM {table}"), |row| {
            let line = row.get_ref(1)?.as_str()?;
            if names(line, numbers) {
                lines.push((row.get::<_, i64>(0)?, without(line, numbers)));
            }
            Ok(())
        })?;
        for (seq, line) in lines {
            let sql = format!("UPDATE {table} SET line = ?1 WHERE seq = ?2");
            gone += transaction.execute(&sql, params![line, seq])?;
        }
    }
    transaction.commit()?;
    // Freed pages and the write-ahead log hold what was erased until the file is written anew.
    db.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(gone as u64)
}

fn each(
    db: &Connection,
    sql: &str,
    mut take: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut rows = db.prepare(sql)?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        take(row)?;
    }
    Ok(())
}

/// Whether one of the numbers stands in a text, its digits in one run.
fn names(text: &str, numbers: &HashSet<&str>) -> bool {
    text.split(|c: char| !c.is_ascii_digit()).any(|run| numbers.contains(run))
}

/// Whether an act belongs to one of these things.
fn is_about(json: &str, ids: &HashSet<String>) -> bool {
    fn named(value: &Value, ids: &HashSet<String>) -> bool {
        match value {
            Value::Object(fields) => fields.iter().any(|(key, value)| {
                let one =
                    NAMED_BY.contains(&key.as_str()) && value.as_str().is_some_and(|id| ids.contains(id));
                one || named(value, ids)
            }),
            Value::Array(items) => items.iter().any(|item| named(item, ids)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        }
    }
    serde_json::from_str(json).is_ok_and(|value| named(&value, ids))
}

/// The line without the values that name one of the numbers.
fn without(line: &str, numbers: &HashSet<&str>) -> String {
    let Ok(Value::Object(mut fields)) = serde_json::from_str(line) else { return "{}".into() };
    for value in fields.values_mut() {
        if value.as_str().is_some_and(|text| names(text, numbers)) {
            *value = Value::Null;
        }
    }
    Value::Object(fields).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_without_saying_whom_it_was_about() {
        let numbers = HashSet::from(["14155550100"]);
        let line =
            r#"{"at":"2026-01-05T14:00:00.000Z","to":"+14155550100","kind":"send","attempt":"att_1_1"}"#;
        assert!(names(line, &numbers));
        let left = without(line, &numbers);
        assert_eq!(left, r#"{"at":"2026-01-05T14:00:00.000Z","to":null,"kind":"send","attempt":"att_1_1"}"#);
        assert!(!names(&left, &numbers));
        assert!(!names("+141555501001", &numbers), "another number that begins alike");
    }

    #[test]
    fn what_is_planned_for_their_messages_goes_with_them() {
        let ids = HashSet::from(["wamid.1".to_owned(), "SM1".to_owned()]);
        assert!(is_about(r#"{"WhatsappStatus":{"message":"wamid.1","status":"read","code":null}}"#, &ids));
        assert!(is_about(r#"{"SmsReply":{"sid":"SM1","saying":"Yes"}}"#, &ids));
        assert!(!is_about(r#"{"WhatsappStatus":{"message":"wamid.2","status":"read","code":null}}"#, &ids));
    }
}
