//! Two copies of one store, edited apart.

use std::path::Path;

use heirloom::sync::{Changes, Summary};
use heirloom::{Id, Result};

use crate::this_year::{Recording, Whispering};

pub fn part_and_meet(path: &Path, ids: &[Id<Recording>; 3]) -> Result<()> {
    let laptop = Whispering::open(path)?;
    // In memory only to keep the tour to one file. A new copy starts empty, and asks for
    // everything.
    let phone = Whispering::in_memory()?;
    let bytes = send(&laptop, &phone)?;
    println!("   The phone is new and fetches everything: {bytes} bytes.");

    let [standup, interview, shopping] = ids;
    let rename = |device: &Whispering, id, title: &str| {
        device.recordings.update(id, |row| row.title = title.to_owned()).map(|_| ())
    };
    rename(&laptop, standup, "Standup (laptop)")?;
    phone.recordings.update(standup, |row| row.tags.push("work".to_owned()))?;
    rename(&laptop, interview, "Interview (laptop)")?;
    rename(&phone, interview, "Interview (phone)")?;
    rename(&phone, shopping, "Shopping (phone)")?;
    println!(
        "   Both go offline. The laptop renames the standup, the phone tags it; both rename the interview:"
    );
    show("laptop", &laptop, ids)?;
    show("phone", &phone, ids)?;

    let (up, down) = (send(&laptop, &phone)?, send(&phone, &laptop)?);
    println!("   They meet: {up} bytes one way, {down} the other.");
    show("laptop", &laptop, ids)?;
    show("phone", &phone, ids)?;
    println!(
        "   Fields merge one by one, so the standup has its name and its tag. The interview has one name."
    );
    for (name, device) in [("laptop", &laptop), ("phone", &phone)] {
        for lost in device.lost_edits()? {
            let title = lost.loser_as::<Recording>()?.title;
            println!("     {name:<7} was told that \"{title}\" lost, and dismisses it.");
            lost.dismiss()?;
        }
    }
    println!(
        "   Anything left to send? {}",
        if is_synced(&laptop, &phone)? { "No." } else { "Yes." }
    );
    Ok(())
}

/// One direction of an exchange, and the number of bytes a network would carry for it.
fn send(from: &Whispering, to: &Whispering) -> Result<usize> {
    let request = to.summary()?.to_bytes();
    let answer = from.changes_since(&Summary::from_bytes(&request)?)?.to_bytes();
    to.apply(&Changes::from_bytes(&answer)?)?;
    Ok(request.len() + answer.len())
}

fn is_synced(one: &Whispering, other: &Whispering) -> Result<bool> {
    Ok(one.changes_since(&other.summary()?)?.is_empty()
        && other.changes_since(&one.summary()?)?.is_empty())
}

fn show(name: &str, device: &Whispering, ids: &[Id<Recording>]) -> Result<()> {
    let mut titles = Vec::new();
    for id in ids {
        let tags =
            |tags: Vec<String>| tags.iter().map(|tag| format!(" #{tag}")).collect::<String>();
        titles.extend(device.recordings.get(id)?.map(|row| row.title + &tags(row.tags)));
    }
    println!("     {name:<7} {}", titles.join(" | "));
    Ok(())
}
