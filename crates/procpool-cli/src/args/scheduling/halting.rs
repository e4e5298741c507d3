//! The value of --halt, in the syntax of GNU parallel.

use procpool_core::{HaltQuantity, HaltRule, HaltWhen, HaltWhy};

/// The value of --halt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HaltChoice {
    Never,
    By(HaltRule),
}

impl HaltChoice {
    /// --fail-fast.
    pub(crate) const FAIL_FAST: HaltRule = HaltRule {
        when: HaltWhen::Now,
        why: HaltWhy::Fail,
        quantity: HaltQuantity::Number(1),
    };
}

const FORM: &str = "give never, or WHEN,WHY=N: soon or now; fail, success or done; a number from 1 up or a percentage; \
                    for example now,fail=1 or soon,fail=10%";

/// # Errors
/// Describes the syntax.
pub(super) fn parse(text: &str) -> Result<HaltChoice, String> {
    let first = |when, why| HaltChoice::By(HaltRule { when, why, quantity: HaltQuantity::Number(1) });
    match text {
        "never" | "0" => return Ok(HaltChoice::Never),
        "1" => return Ok(first(HaltWhen::Soon, HaltWhy::Fail)),
        "2" => return Ok(first(HaltWhen::Now, HaltWhy::Fail)),
        "-1" => return Ok(first(HaltWhen::Soon, HaltWhy::Success)),
        "-2" => return Ok(first(HaltWhen::Now, HaltWhy::Success)),
        _ => {}
    }
    rule(text).map(HaltChoice::By).ok_or_else(|| FORM.to_owned())
}

fn rule(text: &str) -> Option<HaltRule> {
    let (when, rest) = text.split_once(',')?;
    let (why, quantity) = rest.split_once('=')?;
    let when = match when {
        "soon" => HaltWhen::Soon,
        "now" => HaltWhen::Now,
        _ => return None,
    };
    let why = match why {
        "fail" => HaltWhy::Fail,
        "success" => HaltWhy::Success,
        "done" => HaltWhy::Done,
        _ => return None,
    };
    let quantity = match quantity.strip_suffix('%') {
        Some(percent) => {
            HaltQuantity::Percent(number(percent)?.try_into().ok().filter(|percent| *percent <= 100)?)
        }
        None => HaltQuantity::Number(number(quantity)?),
    };
    Some(HaltRule { when, why, quantity })
}

/// Digits only, from 1 up.
fn number(text: &str) -> Option<u64> {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| text.parse().ok()).flatten().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_gnu_parallel_are_understood() {
        let rule = |when, why, quantity| Ok(HaltChoice::By(HaltRule { when, why, quantity }));
        for (text, expected) in [
            ("never", Ok(HaltChoice::Never)),
            ("0", Ok(HaltChoice::Never)),
            ("1", rule(HaltWhen::Soon, HaltWhy::Fail, HaltQuantity::Number(1))),
            ("2", rule(HaltWhen::Now, HaltWhy::Fail, HaltQuantity::Number(1))),
            ("-1", rule(HaltWhen::Soon, HaltWhy::Success, HaltQuantity::Number(1))),
            ("-2", rule(HaltWhen::Now, HaltWhy::Success, HaltQuantity::Number(1))),
            ("now,fail=1", Ok(HaltChoice::By(HaltChoice::FAIL_FAST))),
            ("soon,success=3", rule(HaltWhen::Soon, HaltWhy::Success, HaltQuantity::Number(3))),
            ("now,done=100%", rule(HaltWhen::Now, HaltWhy::Done, HaltQuantity::Percent(100))),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_the_right_form() {
        for text in [
            "",
            "3",
            "now",
            "now,fail",
            "now,fail=",
            "now,fail=0",
            "now,fail=0%",
            "now,fail=101%",
            "now,fail=-1",
            "later,fail=1",
            "now,error=1",
            "now,fail=1,done=2",
            "now, fail=1",
            "now,fail=+1",
            "now,fail=1.5",
        ] {
            assert_eq!(parse(text), Err(FORM.to_owned()), "{text}");
        }
    }
}
