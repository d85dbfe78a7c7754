//! The words that plans and runs print, and their meaning.

use serde::Serialize;

use crate::output::Record;

/// A word of a plan, a run or a report.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Word {
    pub(super) word: &'static str,
    pub(super) meaning: &'static str,
    pub(super) next: &'static str,
}

impl Record for Word {
    const FIELDS: &'static [&'static str] = &["word", "meaning", "next"];
    const COLUMNS: &'static [(&'static str, &'static str)] =
        &[("WORD", "word"), ("MEANING", "meaning"), ("NEXT STEP", "next")];
}

const fn word(word: &'static str, meaning: &'static str, next: &'static str) -> Word {
    Word { word, meaning, next }
}

/// The next step for words that need none.
const NOTHING: &str = "None is needed.";

pub(super) const WORDS: &[Word] = &[
    word(
        "blocked",
        "A rule stops the changes of a group, or all removals of a plan. The line below the group names the rule.",
        "Look up the rule: max_remove, emptied, protected, group, unreadable or managed elsewhere.",
    ),
    word(
        "max_remove",
        "The plan removes more members of a group, or of all groups together, than the limit allows.",
        "Check the rows that start with -. To allow them, pass the number that the plan prints: --allow-removals N.",
    ),
    word(
        "emptied",
        "The plan would remove all members of a group.",
        "If that is right, set allow_empty: true in the group file, or pass --allow-removals N.",
    ),
    word(
        "protected",
        "The group file, the last applied file or the policy protects this user or group, so a removal is not sent.",
        "Remove the user or group from `protect` in that file if it must change.",
    ),
    word(
        "group",
        "No group of the organization matches the input, or several do.",
        "Correct the name, use the id of the group, or pass --create-groups to `import`.",
    ),
    word(
        "unreadable",
        "The members of the group could not be read, so its changes are unknown.",
        "Check the scopes of the key and plan again.",
    ),
    word(
        "managed elsewhere",
        "An identity provider or a tenant manages the members, and the API refuses to change them.",
        "Change the members there, or remove the group from the input.",
    ),
    word(
        "held",
        "An operation is not sent, because one that must come first failed or is blocked. HELD BACK counts them.",
        "Solve the cause of the first one, then plan again or run `openai-admin runs resume`.",
    ),
    word(
        "kept",
        "Members who are not in the input stay, because an address of the input matches no user and may be theirs.",
        "Correct or remove the lines marked with a question mark.",
    ),
    word(
        "skipped",
        "The plan leaves the group unchanged, because something else manages it.",
        "Change the members where the group is managed.",
    ),
    word(
        "stale",
        "The groups differ from the state that the plan was made for.",
        "Plan again and review the new plan.",
    ),
    word(
        "frozen",
        "The same as kept; the field frozen_removals counts the members.",
        "Correct or remove the lines marked with a question mark.",
    ),
    word("not in the file", "The user is a member, and the input does not list them.", NOTHING),
    word("undo", "The operation reverts a change of the run that the row names.", NOTHING),
    word("offboarding", "The user is removed from every group.", NOTHING),
    word("done", "The run made the change.", NOTHING),
    word(
        "found_done",
        "The run sent the request and got no response; the change was found in place afterwards.",
        NOTHING,
    ),
    word("no_change", "The change was in place already.", NOTHING),
    word(
        "failed",
        "The request failed, and the change was not made.",
        "Read the error with `openai-admin runs report last`, then run `openai-admin runs resume last`.",
    ),
    word(
        "unknown",
        "The request was sent, and its response does not show whether the change was made.",
        "Run `openai-admin runs resume last`: it reads the group again.",
    ),
    word(
        "left",
        "Operations without a result: the run stopped before it sent them. The column REMAINING counts them.",
        "Run `openai-admin runs resume last`.",
    ),
    word(
        "remaining",
        "Operations without a result: the run stopped before it sent them.",
        "Run `openai-admin runs resume last`.",
    ),
    word("complete", "The run ended, and the groups match its plan.", NOTHING),
    word(
        "partial",
        "The run ended, and some operations failed or are blocked.",
        "Read `openai-admin runs report last`, then resume the run or plan again.",
    ),
    word(
        "stopped",
        "The run did not end: it was interrupted, or the program was killed.",
        "Run `openai-admin runs resume last`.",
    ),
    word("undone", "A later run reverted the run. The field undone_by names it.", NOTHING),
    word("nothing to apply", "The plan has no change that may be applied, so there is no run.", NOTHING),
    word("verified", "After the changes the groups were read again, and they match the plan.", NOTHING),
    word(
        "created",
        "The group does not exist, and the plan creates it.",
        "If the name is a typo, correct it before you apply the plan.",
    ),
    word("renamed", "The plan gives an existing group a new name. Its id and members stay.", NOTHING),
];

/// The word, in any case and with spaces, hyphens or underscores.
pub(super) fn of(text: &str) -> Option<&'static Word> {
    let plain = |text: &str| text.trim().to_lowercase().replace(['_', '-'], " ");
    let text = plain(text);
    let text = if text == "held back" { "held" } else { &text };
    WORDS.iter().find(|word| plain(word.word) == text)
}

#[cfg(test)]
mod tests {
    use openai_admin_sync::{journal::Outcome, plan::Rule};

    use super::*;

    #[test]
    fn every_rule_and_outcome_has_a_meaning() {
        use Rule::{Emptied, Group, Managed, MaxRemove, ProtectedGroup, Unreadable};
        for rule in [MaxRemove, Emptied, ProtectedGroup, Group, Unreadable, Managed] {
            assert!(of(rule.as_str()).is_some(), "{rule:?}");
        }
        use Outcome::{Blocked, Done, Failed, FoundDone, Held, NoChange, Unknown};
        for outcome in [Done, FoundDone, NoChange, Failed, Unknown, Held, Blocked] {
            assert!(of(outcome.as_str()).is_some(), "{outcome:?}");
        }
        for text in ["BLOCKED", "HELD BACK", "Managed-Elsewhere", "left"] {
            assert!(of(text).is_some(), "{text}");
        }
        assert!(of("group_not_found").is_none());
    }
}
