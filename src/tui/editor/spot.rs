//! Where in a JSON file the cursor stands: inside which fields, at a name or at a value, and what is begun there. The
//! file may be broken; what stands before the cursor decides.

/// A step on the way into the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The value of this field.
    Field(String),
    /// An element of a list.
    Item,
}

/// What is expected at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The object or list, and the field, that the cursor stands in.
    pub path: Vec<Part>,
    /// A field's name is expected; else a value.
    pub name: bool,
    /// What is begun, without its quotation mark.
    pub begun: String,
    /// Whether a quotation mark is open.
    pub quoted: bool,
    /// Fields that the object has already, before the cursor.
    pub taken: Vec<String>,
}

#[derive(Debug)]
enum Frame {
    Object { name: Option<String>, valued: bool, taken: Vec<String> },
    List,
}

/// Reads what stands before the cursor.
pub fn spot(before: &str) -> Spot {
    let mut frames: Vec<Frame> = Vec::new();
    let mut letters = before.char_indices();
    let (mut open, mut bare): (Option<String>, String) = (None, String::new());
    while let Some((_, letter)) = letters.next() {
        if let Some(text) = &mut open {
            match letter {
                '"' => {
                    take(&mut frames, std::mem::take(text));
                    open = None;
                }
                '\\' => text.extend(letters.next().map(|(_, letter)| letter)),
                letter => text.push(letter),
            }
            continue;
        }
        match letter {
            '"' => open = Some(String::new()),
            '{' => frames.push(Frame::Object { name: None, valued: false, taken: Vec::new() }),
            '[' => frames.push(Frame::List),
            '}' | ']' => _ = frames.pop(),
            ':' => {
                if let Some(Frame::Object { valued, .. }) = frames.last_mut() {
                    *valued = true;
                }
            }
            ',' => {
                if let Some(Frame::Object { name, valued, .. }) = frames.last_mut() {
                    (*name, *valued) = (None, false);
                }
            }
            _ => {}
        }
        if letter.is_alphanumeric() || letter == '_' { bare.push(letter) } else { bare.clear() }
    }
    let quoted = open.is_some();
    let begun = open.unwrap_or(bare);
    let (name, taken) = match frames.last() {
        Some(Frame::Object { valued: false, taken, .. }) => (true, taken.clone()),
        Some(Frame::Object { .. } | Frame::List) | None => (false, Vec::new()),
    };
    let path = frames.iter().filter_map(|frame| match frame {
        Frame::Object { name, valued, .. } => name.clone().filter(|_| *valued).map(Part::Field),
        Frame::List => Some(Part::Item),
    });
    Spot { path: path.collect(), name, begun, quoted, taken }
}

/// A text that is closed: the name of the field that follows, or a value.
fn take(frames: &mut [Frame], text: String) {
    if let Some(Frame::Object { name, valued: false, taken }) = frames.last_mut() {
        taken.push(text.clone());
        *name = Some(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_known_in_a_file_that_is_broken() {
        let of = |text: &str| spot(text);
        let field = |name: &str| Part::Field(name.into());
        let found = of(r#"{ "start": "wh"#);
        assert_eq!((found.path, found.begun.as_str(), found.name), (vec![field("start")], "wh", false));
        let found = of(r#"{ "start": "sms", "steps": [ { "channel": "sms", "wa"#);
        assert_eq!(found.path, vec![field("steps"), Part::Item]);
        assert_eq!((found.name, found.begun.as_str()), (true, "wa"));
        assert_eq!(found.taken, ["channel"]);
        let found = of(r#"{ "segments": { "smb": { "start": "#);
        assert_eq!(found.path, vec![field("segments"), field("smb"), field("start")]);
        assert!(!found.name && !found.quoted);
        let found = of(r#"{ "a\"b": [1, tr"#);
        assert_eq!(found.path, vec![field("a\"b"), Part::Item]);
        assert_eq!(found.begun, "tr");
        assert_eq!(of("").path, vec![]);
        assert_eq!(of("}}]] ,:").path, vec![]);
    }
}
