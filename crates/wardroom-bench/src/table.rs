//! What is printed: each figure as the median of its rounds, the machine's own limit beside it.

use std::collections::BTreeMap;

/// Every round's figures, by name.
#[derive(Default)]
pub struct Rounds(BTreeMap<String, Vec<f64>>);

impl Rounds {
    /// Keeps one round's figure.
    pub fn add(&mut self, name: impl Into<String>, figure: f64) {
        self.0.entry(name.into()).or_default().push(figure);
    }

    /// The median over the rounds.
    pub fn median(&self, name: &str) -> f64 {
        self.quantile(name, 0.5)
    }

    /// The smallest figure that this share of the rounds does not exceed.
    pub fn quantile(&self, name: &str, share: f64) -> f64 {
        self.0.get(name).map_or(f64::NAN, |figures| quantile(figures, share))
    }
}

/// The smallest figure that this share of all does not exceed.
pub fn quantile(figures: &[f64], share: f64) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let index = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(index.max(1) - 1).copied().unwrap_or(f64::NAN)
}

/// Begins a table.
pub fn heading(title: &str) {
    println!("\n{title}\n{:<44} {:>13} {:>13} {:>7}  the limit; the aim", "", "wardroom", "limit", "ratio");
}

/// One line of a table; a figure without a limit leaves its columns empty.
pub fn line(what: &str, figure: f64, limit: Option<f64>, note: &str) {
    match limit {
        Some(limit) => paired(what, figure, limit, figure / limit, note),
        None => println!("{what:<44} {:>13} {:>13} {:>7}  {note}", shown(figure), "", ""),
    }
}

/// One line whose ratio was taken in each turn, from what was measured right beside each other.
pub fn paired(what: &str, figure: f64, limit: f64, ratio: f64, note: &str) {
    println!("{what:<44} {:>13} {:>13} {ratio:>7.2}  {note}", shown(figure), shown(limit));
}

fn shown(figure: f64) -> String {
    match figure.abs() {
        large if large >= 100.0 => format!("{figure:.0}"),
        middle if middle >= 10.0 => format!("{figure:.1}"),
        _ => format!("{figure:.2}"),
    }
}
