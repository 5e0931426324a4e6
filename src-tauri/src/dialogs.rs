//! Native dialogs: which file, and whether to go on. Asked by Rust alone, so that no path comes from a page.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tauri::{AppHandle, Manager, Wry};
use tauri_plugin_dialog::{DialogExt, FileDialogBuilder, MessageDialogButtons, MessageDialogKind};

/// A question about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileQuestion {
    /// The window the dialog belongs to.
    pub(crate) window: String,
    /// Its title.
    pub(crate) title: String,
    /// The name that is suggested.
    pub(crate) file_name: Option<String>,
    /// What kinds of file there may be: a name and its endings.
    pub(crate) filter: Option<(String, Vec<String>)>,
}

/// A question that is answered with yes or no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct YesNo {
    /// The window the dialog belongs to.
    pub(crate) window: String,
    /// Its title.
    pub(crate) title: String,
    /// What happens if the answer is yes.
    pub(crate) message: String,
    /// The words on the two buttons.
    pub(crate) yes: String,
    /// The words on the button that changes nothing.
    pub(crate) no: String,
}

/// Who answers. Every method blocks and must not be called on the thread that draws.
pub(crate) trait DialogPort: Send + Sync + std::fmt::Debug {
    /// Where to write a file; `None` when the person thought better of it.
    fn save_file(&self, question: &FileQuestion) -> Option<PathBuf>;
    /// Which file to read.
    fn open_file(&self, question: &FileQuestion) -> Option<PathBuf>;
    /// Which directory.
    fn open_directory(&self, question: &FileQuestion) -> Option<PathBuf>;
    /// Whether to go on.
    fn confirm(&self, question: &YesNo) -> bool;
}

/// The dialogs of the platform.
#[derive(Debug)]
pub(crate) struct Native(pub(crate) AppHandle);

impl Native {
    fn builder(&self, question: &FileQuestion) -> FileDialogBuilder<Wry> {
        let mut builder = self.0.dialog().file().set_title(&question.title);
        if let Some(window) = self.0.get_webview_window(&question.window) {
            builder = builder.set_parent(&window);
        }
        if let Some(name) = &question.file_name {
            builder = builder.set_file_name(name);
        }
        if let Some((name, endings)) = &question.filter {
            let endings: Vec<&str> = endings.iter().map(String::as_str).collect();
            builder = builder.add_filter(name, &endings);
        }
        builder
    }
}

impl DialogPort for Native {
    fn save_file(&self, question: &FileQuestion) -> Option<PathBuf> {
        self.builder(question).blocking_save_file()?.into_path().ok()
    }

    fn open_file(&self, question: &FileQuestion) -> Option<PathBuf> {
        self.builder(question).blocking_pick_file()?.into_path().ok()
    }

    fn open_directory(&self, question: &FileQuestion) -> Option<PathBuf> {
        self.builder(question).blocking_pick_folder()?.into_path().ok()
    }

    fn confirm(&self, question: &YesNo) -> bool {
        let mut dialog = self
            .0
            .dialog()
            .message(&question.message)
            .title(&question.title)
            .kind(MessageDialogKind::Warning)
            .buttons(MessageDialogButtons::OkCancelCustom(question.yes.clone(), question.no.clone()));
        if let Some(window) = self.0.get_webview_window(&question.window) {
            dialog = dialog.parent(&window);
        }
        dialog.blocking_show()
    }
}

/// Answers from a file, one JSON value a line, each used once: native dialogs are out of reach of a test.
#[derive(Debug)]
pub(crate) struct Scripted {
    file: PathBuf,
    used: Mutex<usize>,
}

impl Scripted {
    /// Takes the answers from this file, read anew at each question.
    pub(crate) fn from_file(file: &Path) -> Self {
        Self { file: file.to_owned(), used: Mutex::new(0) }
    }

    /// Returns the next answer; none is like a dialog that was closed.
    fn next(&self) -> Option<serde_json::Value> {
        let mut used = self.used.lock().ok()?;
        let text = std::fs::read_to_string(&self.file).ok()?;
        let line = text.lines().filter(|line| !line.trim().is_empty()).nth(*used)?;
        *used += 1;
        serde_json::from_str(line).ok()
    }

    fn next_path(&self) -> Option<PathBuf> {
        Some(PathBuf::from(self.next()?.as_str()?))
    }
}

impl DialogPort for Scripted {
    fn save_file(&self, _: &FileQuestion) -> Option<PathBuf> {
        self.next_path()
    }

    fn open_file(&self, _: &FileQuestion) -> Option<PathBuf> {
        self.next_path()
    }

    fn open_directory(&self, _: &FileQuestion) -> Option<PathBuf> {
        self.next_path()
    }

    fn confirm(&self, _: &YesNo) -> bool {
        self.next().and_then(|answer| answer.as_bool()).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scripted_answer_is_used_once_and_silence_is_no() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("answers");
        let question = FileQuestion { window: "main".into(), title: "t".into(), file_name: None, filter: None };
        let yes_no =
            YesNo { window: "main".into(), title: "t".into(), message: "m".into(), yes: "y".into(), no: "n".into() };
        let scripted = Scripted::from_file(&file);
        assert!(!scripted.confirm(&yes_no), "there is no file yet");
        std::fs::write(&file, "\"bundle.zip\"\n\ntrue\nnull\n").unwrap();
        assert_eq!(scripted.save_file(&question), Some(PathBuf::from("bundle.zip")));
        assert!(scripted.confirm(&yes_no));
        assert_eq!(scripted.open_file(&question), None, "null is a closed dialog");
        std::fs::write(&file, "\"bundle.zip\"\n\ntrue\nnull\n\"late\"\n").unwrap();
        assert_eq!(scripted.open_directory(&question), Some(PathBuf::from("late")), "answers may be added later");
        assert!(!scripted.confirm(&yes_no));
    }
}
