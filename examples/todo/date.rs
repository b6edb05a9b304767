//! Due dates, as people write and read them.

use jiff::Zoned;
use jiff::civil::{Date, Weekday};

pub fn today() -> Date {
    Zoned::now().date()
}

/// A due date from the command line.
pub fn parse(text: &str) -> Result<Date, String> {
    parse_on(today(), text)
}

fn parse_on(today: Date, text: &str) -> Result<Date, String> {
    let text = text.trim().to_lowercase();
    let weekday = |weekday| today.nth_weekday(1, weekday).map_err(|error| error.to_string());
    match text.as_str() {
        "today" => Ok(today),
        "tomorrow" => today.tomorrow().map_err(|error| error.to_string()),
        "mon" | "monday" => weekday(Weekday::Monday),
        "tue" | "tuesday" => weekday(Weekday::Tuesday),
        "wed" | "wednesday" => weekday(Weekday::Wednesday),
        "thu" | "thursday" => weekday(Weekday::Thursday),
        "fri" | "friday" => weekday(Weekday::Friday),
        "sat" | "saturday" => weekday(Weekday::Saturday),
        "sun" | "sunday" => weekday(Weekday::Sunday),
        _ => Date::strptime("%Y-%m-%d", &text).map_err(|_| {
            "no such day; write it as 2026-12-01, today, tomorrow, or a weekday".to_owned()
        }),
    }
}

/// How far away a due date is, in words.
pub fn in_words(due: Date, today: Date) -> String {
    match (due - today).get_days() {
        ..-1 => format!("{} days late", (today - due).get_days()),
        -1 => "1 day late".to_owned(),
        0 => "due today".to_owned(),
        1 => "due tomorrow".to_owned(),
        2..7 => format!("due {}", due.strftime("%A")),
        _ => format!("due {due}"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{in_words, parse_on};

    #[test]
    fn words_and_dates_are_understood() {
        let friday = date(2026, 11, 20);
        let parse = |text| parse_on(friday, text);
        assert_eq!(parse("today"), Ok(friday));
        assert_eq!(parse("Tomorrow"), Ok(date(2026, 11, 21)));
        assert_eq!(parse("mon"), Ok(date(2026, 11, 23)));
        // A weekday is never today.
        assert_eq!(parse("friday"), Ok(date(2026, 11, 27)));
        assert_eq!(parse("2026-12-01"), Ok(date(2026, 12, 1)));
        for wrong in ["", "soon", "2026-02-30", "01.12.2026"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn distances_are_put_in_words() {
        let friday = date(2026, 11, 20);
        for (due, words) in [
            (date(2025, 11, 20), "365 days late"),
            (date(2026, 11, 19), "1 day late"),
            (date(2026, 11, 20), "due today"),
            (date(2026, 11, 21), "due tomorrow"),
            (date(2026, 11, 26), "due Thursday"),
            (date(2026, 11, 27), "due 2026-11-27"),
        ] {
            assert_eq!(in_words(due, friday), words);
        }
    }
}
