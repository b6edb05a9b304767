//! What must be true, said without a word of the rule: by what the authors of operations knew.

use crate::document::{EditId, Part, Parts, Value};
use crate::rule::Reading;
use crate::schema::{Epoch, LAST, is_convertible};
use crate::world::{Device, World};

impl World {
    /// Checks what a device shows and keeps waiting against the operations that it knows.
    pub fn check(&self, at: usize, is_end: bool) -> Result<(), String> {
        let device = &self.devices[at];
        let Some(current) = device.current() else { return Ok(()) };
        let view = device.view(self.rule);
        let known: Vec<usize> =
            (0..self.operations.len()).filter(|number| device.known >> number & 1 == 1).collect();
        let (surely, perhaps) = self.decided(&known, current.epoch);
        let is_in = |set: &Parts, part: &Part| {
            let prefix =
                |length: usize| Part { edit: part.edit, split: part.split[..length].to_vec() };
            (0..=part.split.len()).any(|length| set.contains(&prefix(length)))
        };
        // With documents in parts, the operations that a device knows are not told until the end.
        if self.weather.is_loose && !is_end {
            return Ok(());
        }
        for value in view.values() {
            if value.parts.iter().all(|part| is_in(&surely, part)) {
                return Err(format!("device {at}: decided, and back: {value:?}"));
            }
        }
        let open = |value: &Value| -> Parts {
            value.parts.iter().filter(|part| !is_in(&surely, part)).cloned().collect()
        };
        for (key, waiting) in &view.waiting {
            let stands_for = view.shown.get(key).map(open).unwrap_or_default();
            if let Some(value) = waiting.iter().find(|value| open(value).is_subset(&stands_for)) {
                return Err(format!("device {at}: waits beside what stands for it: {value:?}"));
            }
            let shown = view.shown.get(key).map(|value| value.doc);
            let is_above =
                |value: &&Value| Some(value.doc) > shown && value.can_be_in(current.epoch);
            if let Some(value) = waiting.iter().find(is_above) {
                return Err(format!("device {at}: waits below {shown:?}: {value:?}"));
            }
        }
        let seen: Parts = view.values().flat_map(|value| value.parts.clone()).collect();
        for value in known.iter().filter_map(|number| self.operations[*number].value.as_ref()) {
            for part in value.converted(current.epoch).into_iter().flat_map(|value| value.parts) {
                let is_open = !is_in(&surely, &part) && !is_in(&perhaps, &part);
                if is_open && !seen.contains(&part) && !self.may_be_missing(device, value, is_end) {
                    return Err(format!("device {at}: lost: {part:?} of {value:?}"));
                }
            }
        }
        // The current document alone says the same.
        let doc = &device.docs[&current];
        if doc.knew == device.known {
            let alone = Reading { rule: self.rule, docs: vec![doc], epoch: current.epoch };
            let alone = alone.view(Some(current));
            if alone != view {
                return Err(format!("device {at}: alone {alone:?}, with others {view:?}"));
            }
        }
        Ok(())
    }

    /// Checks that all devices show the same, once everything is everywhere.
    pub fn check_end(&self) -> Result<(), String> {
        for at in 0..self.devices.len() {
            self.check(at, true)?;
        }
        let views: Vec<_> = self.devices.iter().map(|device| device.view(self.rule)).collect();
        match views.iter().position(|view| *view != views[0]) {
            Some(other) => Err(format!("0 shows {:?}, {other} shows {:?}", views[0], views[other])),
            None => Ok(()),
        }
    }

    /// The parts that known operations decided, and those that only edits were written upon which
    /// this epoch cannot read: their old copies may show, and need not.
    fn decided(&self, known: &[usize], epoch: Epoch) -> (Parts, Parts) {
        let (mut surely, mut perhaps) = (Parts::new(), Parts::new());
        for operation in known.iter().map(|number| &self.operations[*number]) {
            surely.extend(operation.decided.iter().cloned());
            let Some(value) = &operation.value else { continue };
            let reads = is_convertible(value.edit, value.doc.epoch, epoch);
            for (client, clock) in value.place.iter().rev().skip(1) {
                let edit = EditId { doc: value.doc, client: *client, clock: *clock };
                let set = if reads { &mut surely } else { &mut perhaps };
                set.insert(Part::whole(edit));
            }
        }
        (surely, perhaps)
    }

    /// Whether the content of an edit need not be on a device.
    fn may_be_missing(&self, device: &Device, value: &Value, is_end: bool) -> bool {
        let Some(part) = value.parts.first() else { return true };
        // What lost within the current document is left to the rule of concurrent edits.
        let has_lost = device.docs.get(&value.doc).is_some_and(|doc| {
            Some(value.doc) == device.current() && doc.tip(value.key) != Some(part.edit)
        });
        let is_held = self.devices.iter().any(|device| device.holds(part.edit, LAST));
        if is_end {
            self.gone.contains(&part.edit) || (has_lost && is_held)
        } else {
            has_lost || !device.holds(part.edit, device.code)
        }
    }
}
