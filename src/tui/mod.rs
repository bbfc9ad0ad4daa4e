//! The screen: model, update, command table, keymap, theme, terminal; `view/` holds one file per pane.
