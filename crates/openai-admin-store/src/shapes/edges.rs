//! Edges: rows without an id that join resources. An edge is deleted with any of its resources.

use crate::{
    base::{
        error::Result,
        events::{
            CERTIFICATE_ACTIVATED, CERTIFICATE_DEACTIVATED, MEMBER_ADDED, MEMBER_REMOVED,
            PROJECT_GROUP_ADDED, PROJECT_GROUP_REMOVED, PROJECT_USER_ADDED, PROJECT_USER_REMOVED,
            ROLE_ASSIGNED, ROLE_UNASSIGNED,
        },
        kind::Kind,
        value::values,
    },
    operation::change::Change,
};

/// The kinds of edges. Code that treats them differently matches on this enum, so a new kind does not compile until it
/// is handled everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EdgeKind {
    Membership,
    RoleAssignment,
    CertificateActivation,
    ProjectUser,
    ProjectGroup,
}

impl EdgeKind {
    /// The name in messages, in the middle of a sentence.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Membership => "membership",
            Self::RoleAssignment => "role assignment",
            Self::CertificateActivation => "certificate activation",
            Self::ProjectUser => "project user",
            Self::ProjectGroup => "project group",
        }
    }
}

/// A table of edges.
#[derive(Debug)]
pub(crate) struct Edge {
    pub(crate) kind: EdgeKind,
    pub(crate) table: &'static str,
    /// The events of an added and of a removed row.
    pub(crate) added: &'static str,
    pub(crate) ended: &'static str,
    /// Its columns, each with the corresponding column of an audit event. 0 in an edge is null there.
    pub(crate) columns: &'static [(&'static str, &'static str)],
    pub(crate) ends: &'static [End],
    /// The statement that counts the rows over all organizations.
    pub(crate) count: &'static str,
}

/// A kind of resource whose deletion deletes the edges.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) kind: Kind,
    pub(crate) column: &'static str,
    /// Records an event for each deleted row, for each engine.
    record: [&'static str; 2],
    /// Deletes those rows.
    delete: &'static str,
}

/// Declares an edge: its columns, their values in an audit event, and the kinds whose deletion deletes it.
macro_rules! edge {
    ($edge:ident in $table:literal, $added:expr, $ended:expr, $all:expr, ($columns:literal, $values:literal),
     $($kind:ident = $column:literal, by $order:literal;)*) => {
        Edge {
            kind: EdgeKind::$edge,
            table: $table,
            added: $added,
            ended: $ended,
            columns: &$all,
            ends: &[$(End {
                kind: Kind::$kind,
                column: $column,
                record: [
                    concat!(
                        "insert into audit_events (org, change, item, recorded_at, actor, event, ", $columns, ", place)
                         select org, $1, $2 - 1 + row_number() over (order by ", $order, "), $3, $4, $5, ", $values, ",
                                coalesce((select place from audit_events where org = $6 and place < 9223372036854775807
                                          order by place desc limit 1), 0) + 1
                         from ", $table, " where org = $6 and ", $column, " = $7"
                    ),
                    concat!(
                        "insert into audit_events (org, change, item, recorded_at, actor, event, ", $columns, ")
                         select org, cast($1 as text), cast($2 as bigint) - 1 + row_number() over (order by ", $order, "),
                                cast($3 as bigint), cast($4 as text), cast($5 as text), ", $values, "
                         from ", $table, " where org = $6 and ", $column, " = $7"
                    ),
                ],
                delete: concat!("delete from ", $table, " where org = $1 and ", $column, " = $2"),
            }),*],
            count: concat!("select count(*) from ", $table),
        }
    };
}

/// Every edge.
pub(crate) static EDGES: [Edge; 5] = [
    edge! {
        Membership in "group_users", MEMBER_ADDED, MEMBER_REMOVED,
        [("group_seq", "group_seq"), ("user_seq", "user_seq")], ("group_seq, user_seq", "group_seq, user_seq"),
        Group = "group_seq", by "user_seq";
        User = "user_seq", by "group_seq";
    },
    edge! {
        RoleAssignment in "role_assignments", ROLE_ASSIGNED, ROLE_UNASSIGNED,
        [
            ("user_seq", "user_seq"),
            ("group_seq", "group_seq"),
            ("project_seq", "project_seq"),
            ("role_seq", "subject_seq"),
        ],
        (
            "group_seq, user_seq, project_seq, subject_kind, subject_seq, detail",
            "nullif(group_seq, 0), nullif(user_seq, 0), nullif(project_seq, 0), 'role', role_seq,
             (select r.id from roles r where r.org = role_assignments.org and r.seq = role_seq)"
        ),
        Group = "group_seq", by "project_seq, role_seq";
        User = "user_seq", by "group_seq, project_seq, role_seq";
        Role = "role_seq", by "project_seq, user_seq, group_seq";
        Project = "project_seq", by "role_seq, user_seq, group_seq";
    },
    edge! {
        CertificateActivation in "certificate_activations", CERTIFICATE_ACTIVATED, CERTIFICATE_DEACTIVATED,
        [("project_seq", "project_seq"), ("certificate_seq", "subject_seq")],
        (
            "project_seq, subject_kind, subject_seq, detail",
            "nullif(project_seq, 0), 'certificate', certificate_seq,
             (select c.id from certificates c where c.org = certificate_activations.org and c.seq = certificate_seq)"
        ),
        Project = "project_seq", by "certificate_seq";
        Certificate = "certificate_seq", by "project_seq";
    },
    edge! {
        ProjectUser in "project_users", PROJECT_USER_ADDED, PROJECT_USER_REMOVED,
        [("project_seq", "project_seq"), ("user_seq", "user_seq")], ("project_seq, user_seq", "project_seq, user_seq"),
        Project = "project_seq", by "user_seq";
        User = "user_seq", by "project_seq";
    },
    edge! {
        ProjectGroup in "project_groups", PROJECT_GROUP_ADDED, PROJECT_GROUP_REMOVED,
        [("project_seq", "project_seq"), ("group_seq", "group_seq")],
        ("project_seq, group_seq", "project_seq, group_seq"),
        Project = "project_seq", by "group_seq";
        Group = "group_seq", by "project_seq";
    },
];

/// Deletes all edges of a resource that is being deleted.
pub(crate) fn end_all(change: &mut Change<'_>, kind: Kind, seq: i64) -> Result<()> {
    let org = change.org();
    for edge in &EDGES {
        for end in edge.ends.iter().filter(|end| end.kind == kind) {
            change.record_ends(end.record, edge.ended, seq)?;
            change.execute(end.delete, values![org, seq])?;
        }
    }
    Ok(())
}
