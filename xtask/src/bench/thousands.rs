//! Numbers with commas for thousands.

/// `4000` as `4,000`.
pub(crate) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_stands_before_each_three_digits() {
        let shown = [0, 999, 4000, 1_000_000].map(thousands);
        assert_eq!(shown, ["0", "999", "4,000", "1,000,000"]);
    }
}
