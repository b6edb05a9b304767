//! The meaning of the texts of the source. Computed defaults call these functions, so they are
//! pure: no clock, no locale, the same answer on every device for ever.

use jiff::civil::Date;

use crate::cell::Cell;

/// The newest year in the source.
///
/// Years of old films were once written with two digits, and some of them were given the wrong
/// century later: `Gone with the Wind` is of "Dec 15 2039". What lies after the newest year is a
/// hundred years off.
const NEWEST_YEAR: i16 = 2011;

/// The year of the first films.
const OLDEST_YEAR: i16 = 1880;

/// `Jun 12 1998`, `1998-06-12`, `12-Jun-98`.
const SPELLINGS: [&str; 3] = ["%b %d %Y", "%Y-%m-%d", "%d-%b-%y"];

/// A release date in any of its spellings.
pub fn date(cell: &Cell) -> Option<Date> {
    let text = cell.to_string();
    let text = text.trim();
    let date = SPELLINGS.iter().find_map(|spelling| Date::strptime(spelling, text).ok())?;
    // 29 February need not be there a century before.
    let date = date.with().year(century(date.year())).build().ok()?;
    (date.year() >= OLDEST_YEAR).then_some(date)
}

/// The year of a release date in any of its spellings, or of a year alone.
pub fn year(cell: &Cell) -> Option<u16> {
    let text = cell.to_string();
    let text = text.trim();
    let year = match text.len() {
        4 => century(text.parse().ok()?),
        _ => date(cell)?.year(),
    };
    u16::try_from(year).ok().filter(|_| year >= OLDEST_YEAR)
}

/// A year, put into the right century.
fn century(year: i16) -> i16 {
    if year > NEWEST_YEAR { year - 100 } else { year }
}

/// The first year of a year's decade.
pub fn decade(year: u16) -> u16 {
    year - year % 10
}

/// A running time: `136`, or `136 min`.
pub fn minutes(cell: &Cell) -> Option<u16> {
    let text = cell.to_string();
    text.trim().trim_end_matches("min").trim_end().parse().ok()
}

/// Returns the money that a film earned beyond its budget. A gross of nothing means that it is not
/// known.
pub fn profit(gross: Option<i64>, budget: Option<i64>) -> Option<i64> {
    Some(gross.filter(|gross| *gross > 0)? - budget?)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date as day;

    use super::{Cell, date, minutes, profit, year};

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    #[test]
    fn every_spelling_of_a_date_has_its_year() {
        for spelling in ["Jun 12 1998", "Jun 2 1998", "1998-06-12", "12-Jun-98", "1998", " 1998 "] {
            assert_eq!(year(&text(spelling)), Some(1998), "{spelling}");
        }
        assert_eq!(year(&Cell::Whole(1998)), Some(1998));
    }

    #[test]
    fn years_to_come_are_a_century_off() {
        assert_eq!(year(&text("Dec 15 2039")), Some(1939));
        assert_eq!(year(&text("8-Sep-60")), Some(1960));
        assert_eq!(year(&text("Dec 23 2011")), Some(2011));
        assert_eq!(year(&text("18-Dec-09")), Some(2009));
    }

    #[test]
    fn what_is_no_date_has_no_year() {
        for nonsense in ["", "TBD", "Feb 30 1999", "1998-13-01", "12", "0000", "99999", "Juin 1998"]
        {
            assert_eq!(year(&text(nonsense)), None, "{nonsense}");
        }
        assert_eq!(year(&Cell::Decimal(0.5)), None);
    }

    #[test]
    fn dates_have_a_day() {
        for spelling in ["Jun 2 1998", "1998-06-02", "2-Jun-98", " Jun 02 1998 "] {
            assert_eq!(date(&text(spelling)), Some(day(1998, 6, 2)), "{spelling}");
        }
        assert_eq!(date(&text("Dec 15 2039")), Some(day(1939, 12, 15)));
        for nonsense in ["1998", "TBD", "Feb 30 1999", "Jun 2 1798", "Feb 29 2000 or so"] {
            assert_eq!(date(&text(nonsense)), None, "{nonsense}");
        }
        assert_eq!(date(&Cell::Whole(1998)), None);
    }

    #[test]
    fn minutes_may_say_that_they_are() {
        assert_eq!(minutes(&text("136 min")), Some(136));
        assert_eq!(minutes(&Cell::Whole(136)), Some(136));
        assert_eq!(minutes(&text("long")), None);
        assert_eq!(minutes(&Cell::Whole(-1)), None);
    }

    #[test]
    fn profit_needs_both_figures() {
        assert_eq!(profit(Some(10), Some(4)), Some(6));
        assert_eq!(profit(Some(1), Some(4)), Some(-3));
        assert_eq!(profit(Some(0), Some(4)), None);
        assert_eq!(profit(None, Some(4)), None);
        assert_eq!(profit(Some(10), None), None);
    }
}
