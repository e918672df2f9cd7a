//! Lines, indented by how deep in the plan they are.

#[derive(Default)]
pub struct Page {
    pub lines: Vec<String>,
    pub depth: usize,
    /// A line has been printed: from now on an arrow stands before each.
    arrows: bool,
}

impl Page {
    /// The first line of a part of the plan.
    pub fn open(&mut self, text: &str) {
        let line = if self.arrows { format!("{}->  {text}", self.margin()) } else { text.to_owned() };
        self.arrows = true;
        self.lines.push(line);
    }

    pub fn title(&mut self, text: &str) {
        self.lines.push(format!("{}{text}", self.margin()));
    }

    pub fn detail(&mut self, text: &str) {
        self.lines.push(self.indented(text));
    }

    /// Of a part whose first line stands there.
    pub fn detail_after(&mut self, line: usize, text: &str) {
        let text = self.indented(text);
        self.lines.insert((line + 1).min(self.lines.len()), text);
    }

    fn margin(&self) -> String {
        " ".repeat(self.depth * 6 - 4)
    }

    fn indented(&self, text: &str) -> String {
        format!("{}{text}", " ".repeat(self.depth * 6 + 2))
    }
}
